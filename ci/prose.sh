#!/usr/bin/env bash
# Proves what can be proven of the documents: they are wrapped alike, their links lead somewhere, the first page's examples are
# those that the languages' own tests run, the promises that tests cite are the numbered ones, and no doc comment begins with a
# headless "What". HOTPART_BLESS=1 wraps them anew.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need npm node perl || exit 0

failed=0
fail() {
    echo "failed: $*" >&2
    failed=1
}

npm ci --silent --ignore-scripts --no-audit --no-fund --prefix ci/prose
bin=ci/prose/node_modules/.bin
# The others are written by a program, or a part of one.
mapfile -t documents < <(git ls-files '*.md' ':!BENCHMARKS.md' ':!benches/report/template.md' ':!cli/src/input/formats.md')
wrap=--check
[[ -z ${HOTPART_BLESS:-} ]] || wrap=--write
"$bin/prettier" --config ci/prose/prettier.json --log-level warn "$wrap" "${documents[@]}"
"$bin/remark" --rc-path ci/prose/remark.mjs --no-stdout --quiet --frail "${documents[@]}" BENCHMARKS.md

# examples LANGUAGE FILE: the README's are in the language's README too, whose own tests run them.
examples() {
    perl -0 -e '
        my ($language, $file) = @ARGV;
        sub text { open(my $in, "<", $_[0]) or die "$_[0]: $!"; return scalar <$in> }
        my ($readme, $own, $found) = (text("README.md"), text($file), 0);
        while ($readme =~ /```$language\n(.*?)```/gs) {
            index($own, $1) >= 0 or die "$file has not what README.md has:\n$1";
            $found++;
        }
        $found or die "README.md has no example in $language\n";
    ' "$1" "$2" || failed=1
}
examples python bindings/python/README.md
examples js bindings/node/README.md
examples go bindings/go/README.md

mapfile -t promises < <(sed -n '/^## The promises/,/^## Style/s/^\([0-9]*\)\. .*/\1/p' CONTRIBUTING.md)
mapfile -t cited < <(git grep -hoE '[Pp]romises? [0-9]+((, [0-9]+)* and [0-9]+)?' -- '*.rs' '*.c' '*.py' '*.mjs' '*.go' '*.sh' |
    grep -oE '[0-9]+' | sort -nu)
for number in "${promises[@]}"; do
    [[ " ${cited[*]} " == *" $number "* ]] || fail "no test cites promise $number"
done
for number in "${cited[@]}"; do
    [[ " ${promises[*]} " == *" $number "* ]] || fail "CONTRIBUTING.md has no promise $number"
done

# Where a language has no mark for a doc comment, it is what begins at the margin.
headless=$(git ls-files -z '*.rs' '*.py' '*.ts' '*.mts' '*.mjs' '*.js' '*.go' '*.c' '*.h' | xargs -0 perl -ne '
    my $marked = m{^\s*(///|//!|"""|/\*\*) ?What };
    my $below = m{^\s*\* What } && $before =~ m{^\s*/\*\*$};
    my $margin = m{^(//|/\*) ?What } && $before !~ m{^//};
    print "$ARGV:$.: $_" if $marked || $below || $margin;
    $before = $_;
    if (eof) { close ARGV; $before = "" }')
[[ -z $headless ]] || fail "a doc comment begins with a headless \"What\":"$'\n'"$headless"
[[ $failed == 0 ]] || exit 1
echo "prose: ${#documents[@]} documents, ${#promises[@]} promises"
