#!/bin/sh
# Records the apology of each language, as the agent files' languages say it. Needs espeak-ng, sox and python3; the
# recordings are committed.
set -eu
cd "$(dirname "$0")"

python3 - <<'PY' | while IFS='|' read -r language voice text; do
import tomllib
with open("../../crates/agents/languages.toml", "rb") as file:
    languages = tomllib.load(file)
voices = {"en": "en-us", "fr": "fr-fr", "pt": "pt-br"}
for language, texts in languages.items():
    print(language, voices.get(language, language), texts["apology"], sep="|")
PY
    espeak-ng -v "$voice" -s 150 -w raw.wav "$text"
    # --bits 16 with a plain 44 byte header: what the media task reads.
    sox raw.wav --bits 16 --encoding signed-integer --channels 1 --rate 24000 "$language.wav" gain -n -3
done
rm -f raw.wav
