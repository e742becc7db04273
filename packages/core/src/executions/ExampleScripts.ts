/** One short script per language, for a first try. Each uses nothing but the language itself and ends with exit code 0. */

/** By language name as in requests. */
export const exampleScripts: Readonly<Record<string, string>> = {
  python: `import platform
from collections import Counter

words = "the quick brown fox jumps over the lazy dog the end".split()
for word, count in Counter(words).most_common(3):
    print(f"{word}: {count}")
print("Python", platform.python_version())
`,
  node: `const words = "the quick brown fox jumps over the lazy dog the end".split(" ")
const counts = new Map()
for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3)
for (const [word, count] of top) console.log(word + ": " + count)
console.log("Node.js", process.version)
`,
  bash: `set -euo pipefail
words="the quick brown fox jumps over the lazy dog the end"
declare -A counts=()
for word in $words; do
  counts[$word]=$(( \${counts[$word]:-0} + 1 ))
done
for word in the quick brown; do
  echo "$word: \${counts[$word]}"
done
echo "Bash $BASH_VERSION"
`,
  sh: `set -eu
count=0
for word in the quick brown fox jumps over the lazy dog the end; do
  if [ "$word" = the ]; then count=$((count + 1)); fi
done
echo "the: $count"
`,
  ruby: `words = "the quick brown fox jumps over the lazy dog the end".split
words.tally.max_by(3) { |_, count| count }.each { |word, count| puts "#{word}: #{count}" }
puts "Ruby #{RUBY_VERSION}"
`,
  perl: `use strict;
use warnings;

my %counts;
$counts{$_}++ for split ' ', 'the quick brown fox jumps over the lazy dog the end';
my @top = sort { $counts{$b} <=> $counts{$a} || $a cmp $b } keys %counts;
print "$_: $counts{$_}\\n" for @top[0 .. 2];
printf "Perl %vd\\n", $^V;
`,
  php: `<?php
$words = explode(' ', 'the quick brown fox jumps over the lazy dog the end');
$counts = array_count_values($words);
arsort($counts);
foreach (array_slice($counts, 0, 3) as $word => $count) {
    echo "$word: $count\\n";
}
echo 'PHP ', PHP_VERSION, "\\n";
`,
  go: `package main

import (
	"fmt"
	"runtime"
	"strings"
)

func main() {
	counts := map[string]int{}
	for _, word := range strings.Fields("the quick brown fox jumps over the lazy dog the end") {
		counts[word]++
	}
	for _, word := range []string{"the", "quick", "brown"} {
		fmt.Printf("%s: %d\\n", word, counts[word])
	}
	fmt.Println(runtime.Version())
}
`
}
