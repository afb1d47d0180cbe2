"""Make the corpus of the kjv models: the King James text of Debian's bible-kjv.

    python3 corpus.py [FOLDER]        writes FOLDER/train.txt and FOLDER/heldout.txt (default: data)

One verse a line, 32 symbols, every 20th chapter (counted from 1 through the whole book) held out.
"""
import os
import re
import subprocess
import sys

ALPHABET = "\n abcdefghijklmnopqrstuvwxyz.,:?"
HOLD_OUT_EVERY = 20


def normalise(verse):
    """Lower case; ';' -> ',', '!' -> '.', '-' -> ' '; other symbols dropped; runs of spaces folded."""
    verse = verse.lower().translate(str.maketrans(";!-", ",. "))
    verse = "".join(c for c in verse if c in ALPHABET)
    return re.sub(" +", " ", verse).strip()


def encode(text):
    return [ALPHABET.index(c) for c in text]


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "data"
    book = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], check=True, capture_output=True, text=True).stdout
    parts = {"train": [], "heldout": []}
    chapter, number = None, 0
    for line in book.splitlines():
        match = re.match(r"(\S+?\d+):\d+ (.*)", line)
        if not match:
            continue
        if match.group(1) != chapter:
            chapter, number = match.group(1), number + 1
        part = "heldout" if number % HOLD_OUT_EVERY == 0 else "train"
        parts[part].append(normalise(match.group(2)) + "\n")
    os.makedirs(folder, exist_ok=True)
    for name, verses in parts.items():
        with open(os.path.join(folder, name + ".txt"), "w") as f:
            f.writelines(verses)
        print(name, len(verses), "verses", sum(map(len, verses)), "characters")
    print(number, "chapters")


if __name__ == "__main__":
    main()
