"""One Markdown table of what the engines read and what it cost.

usage: table.py TRUTH.tsv READINGS.jsonl…
"""

import csv
import json
import math
import os
import re
import statistics
import sys
import unicodedata

# What prints alike, as in eval/compare.go.
SAME = str.maketrans("【】〔〕[]，、。：；－—–．＊“”‘’〇○", "()()(),,.:;---.*\"\"''零零", "|·•")
CODE = str.maketrans("OI", "01")  # letters that no code holds


def plain(text):
    text = unicodedata.normalize("NFKC", text.translate(SAME)).translate(SAME)
    return "".join(text.split()).upper()


def pattern(truth):
    """Matches the truth, "?" in it any one character."""
    return re.compile(".".join(map(re.escape, truth.split("?"))))


def printed(value):
    """The value without its reader's remark: "value (remark)"; "" for none."""
    value = value.split(" (")[0].strip()
    return "" if value.startswith("(") or not value.strip("?") else value


def rate(hits):
    """Share with Wilson's score interval at 95 %."""
    if not hits:
        return "-"
    z, n, p = 1.959964, len(hits), sum(hits) / len(hits)
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = max(center - half, 0), min(center + half, 1)
    return f"{sum(hits)}/{n} {100 * p:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def has(reading, field, truth):
    """Heyan must report the field as printed; a peer's text must hold it."""
    truth = plain(truth)
    if "fields" in reading:
        return bool(pattern(truth).fullmatch(plain(reading["fields"].get(field, ""))))
    text = plain(reading.get("text", ""))
    if field != "name":
        truth, text = truth.translate(CODE), text.translate(CODE)
    return bool(pattern(truth).search(text))


def main():
    truth_path, *outputs = sys.argv[1:]
    with open(truth_path, encoding="utf-8", newline="") as table:
        truth = {os.path.join(os.path.dirname(truth_path), row["file"]): row
                 for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)}
    print("| engine | code | name | CPU s, median | mean | wall s, median | mean | peak memory, MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    failures = []
    for output in outputs:
        with open(output, encoding="utf-8") as lines:
            *readings, engine = map(json.loads, lines)
        codes, names = [], []
        for reading in readings:
            row = truth[reading["file"]]
            code = {"readable": "uscc", "readable_legacy": "registration_number"}.get(row["outcome_expected"])
            if code is None:
                continue
            codes.append(has(reading, code, row["code"]))
            if printed(row["name"]):
                names.append(has(reading, "name", printed(row["name"])))
        times = [f"{average([r[clock] for r in readings]):.2f}"
                 for clock in ("cpu_s", "wall_s") for average in (statistics.median, statistics.mean)]
        print("|", " | ".join([engine["version"], rate(codes), rate(names), *times, f"{engine['peak_rss_mb']:.0f}"]), "|")
        failed = [reading["error"] for reading in readings if "error" in reading]
        if failed:
            failures.append(f"{engine['version']} failed on {len(failed)} pictures, counted as misses; first: {failed[0]}")
    print(f"""
{len(readings)} pictures, {len(codes)} of them licenses with a legible code, as they are stored; {os.cpu_count()} cores.
Heyan must report the field itself, exactly. For the others it is enough that the printed string stands
anywhere in the text of the page, in any width, spacing and kind of brackets, O for 0 and I for 1 in codes:
the easier test. Each engine reads one picture after the other in one warm process; Tesseract's command
line is one process a picture, its start included. In brackets: 95 % intervals (Wilson).""")
    for failure in failures:
        print(failure)


main()
