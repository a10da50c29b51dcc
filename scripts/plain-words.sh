#!/usr/bin/env bash
# Refuses words of scripts/plain-words.txt in what people read: code and its comments, docs, scripts, settings, names of tests.
# Exceptions: scripts/plain-words-exceptions.txt, a path (or the beginning of one) a line, with the reason after a tab.
set -euo pipefail
cd "$(dirname "$0")/.."

words=$(grep -v '^#' scripts/plain-words.txt | cut -f1 | paste -sd'|')
exceptions=$(grep -v '^#' scripts/plain-words-exceptions.txt | cut -f1 | sed 's/[.]/\\./g; s/^/^/' | paste -sd'|')

# Names of tests and functions write a space as an underscore.
files=$(git ls-files '*.rs' '*.md' '*.toml' '*.py' '*.sh' '*.mjs' '*.js' '*.html' Makefile template.yaml '*.yml' '*.cwl' | grep -Ev "$exceptions")
found=$(echo "$files" | xargs perl -ne '
  BEGIN { $words = qr/(?<![A-Za-z])(?:'"$words"')(?![A-Za-z])/i }
  ($line = $_) =~ tr/_/ /;
  print "$ARGV:$.: $&: $_" if $line =~ $words;
  close ARGV if eof;
')
[ -z "$found" ] && exit 0
printf '%s\n' "$found" | cut -c1-200 >&2
echo "plain-words: $(printf '%s\n' "$found" | wc -l) lines use words that scripts/plain-words.txt replaces" >&2
exit 1
