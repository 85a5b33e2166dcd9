"""Tesseract's own command line: one process a picture."""

import resource
import subprocess

import measure


def run(*arguments):
    return subprocess.run(["tesseract", *arguments], check=True, capture_output=True, text=True).stdout


def usage():
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def read(file):
    return {"text": run(file, "stdout", "-l", "chi_sim+eng", "--psm", "3")}


measure.pictures(read, lambda: usage().ru_utime + usage().ru_stime)
measure.engine("Tesseract CLI " + run("--version").split()[1], usage())
