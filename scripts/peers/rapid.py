"""RapidOCR, its default models and settings, in this process."""

import resource
from importlib.metadata import version

from rapidocr import RapidOCR

import measure

reader = RapidOCR(params={"Global.log_level": "error"})


def usage():
    return resource.getrusage(resource.RUSAGE_SELF)


def read(file):
    return {"text": "\n".join(reader(file).txts or ())}


measure.pictures(read, lambda: usage().ru_utime + usage().ru_stime)
measure.engine(f"RapidOCR {version('rapidocr')}, onnxruntime {version('onnxruntime')}", usage())
