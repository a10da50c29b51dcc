#!/usr/bin/env bash
# Refuses the words of scripts/plain-words.txt in everything people read: code and comments, docs, scripts, settings, test names.
# Exceptions: scripts/plain-words-exceptions.txt, a path (or the beginning of one) a line, with the reason after a tab.
# Without arguments it reads all text files; else those of the pathspecs given, such as ':!*.rs'.
set -euo pipefail
cd "$(dirname "$0")/.."

words=$(grep -v '^#' scripts/plain-words.txt | cut -f1 | paste -sd'|')
exceptions=$(grep -v '^#' scripts/plain-words-exceptions.txt | cut -f1 | sed 's/[.]/\\./g; s/^/^/' | paste -sd'|')

# Names write a space as an underscore, and a phrase may go on in the next line of a comment.
found=$(git grep --untracked -Il '' -- "$@" | grep -Ev "$exceptions" | tr '\n' '\0' | words="$words" xargs -0 perl -0777 -ne '
  BEGIN { ($words = $ENV{words}) =~ s/ /(?:\\s|\\\/\\\/[\\\/!]?|#|\\*)+/g; $words = qr/(?<![A-Za-z])(?:$words)(?![A-Za-z])/i }
  @lines = split /\n/, $_, -1;
  tr/_/ /;
  while (/$words/g) {
    my $match = $&;
    my $line = substr($_, 0, $-[0]) =~ tr/\n//;
    $match =~ s/\s+/ /g;
    print "$ARGV:" . ($line + 1) . ": $match: $lines[$line]\n";
  }
')
[ -z "$found" ] && exit 0
printf '%s\n' "$found" | cut -c1-200 >&2
echo "plain-words: $(printf '%s\n' "$found" | wc -l) times a word that scripts/plain-words.txt replaces" >&2
exit 1
