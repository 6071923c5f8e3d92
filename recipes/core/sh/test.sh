# test: checks what sh knows; started as "sh -eu test.sh one 'two words'", with no program
# but itself to call. Ends with status 1 at the first check that fails.

same() {
	[ "$1" = "$2" ] && return 0
	echo "is      $1"
	echo "must be $2"
	exit 1
}

same "$# $1 $2" "2 one two words"
a=5; b="x y"
same "a=$a b=$b" 'a=5 b=x y'
same \$a\ "\"$a\"" '$a "5"'
list=""
for i in 1 $b "q r"; do list="$list<$i>"; done
same "$list" "<1><x><y><q r>"
list=""
for i; do list="$list<$i>"; done
same "$list" "<one><two words>"

i=0; list=""
while [ $i -lt 9 ]; do
	i=$((i + 1))
	[ $i = 2 ] && continue
	if [ $i -ge 5 ]; then break; fi
	list="$list$i"
done
same "$list" 134
until test $i -eq 0; do i=$((i - 1)); done
same $i 0

f() { [ $# = 2 ] || return 9; return 3; }
f a b || same $? 3
f || same $? 9
same "$(echo one; echo two)" "one
two"
same "$(echo hello | { read word; echo "<$word>"; })" "<hello>"
same "$(echo a  b c | (read x y; echo "$y/$x"))" "b c/a"

case "abc" in x|a?c) list=yes ;; *) list=no ;; esac
same $list yes
case "a*" in "a*") list=quoted ;; esac
same $list quoted
case file.c in *.h) list=h ;; [a-g]*.c) list=c ;; esac
same $list c

same "$(while read line; do echo "<$line>"; done <<EOF
here $a $(echo sub)
	tab \$x
EOF
)" '<here 5 sub>
<tab $x>'
same "$(read line <<-'EOF'
		raw $a
	EOF
	echo "$line")" 'raw $a'

unset nothing
p=/usr/lib/x.tar.gz
same "${nothing:-word} ${a:-word} ${a+set} ${nothing-$a} ${#b}" "word 5 set 5 3"
same "${p##*/} ${p%%.*} ${p%.gz} ${p#/usr}" "x.tar.gz /usr/lib/x /usr/lib/x.tar /lib/x.tar.gz"
same "$((2 * (3 + 4) % 5)) $((1 < 2)) $((7 / -2)) $((a == 5 && 0))" "4 1 -3 0"

cd /src
echo one > out; echo two >> out
read first < out
same "$first" one
same "$(for file in s*.c; do echo $file; done)" sh.c
same "$(echo no*thing 's*.c' "s*.c")" "no*thing s*.c s*.c"
same "$(echo hidden 2>&1 1>/dev/null)" ""
same "$(cd /usr; pwd) $(pwd)" "/usr /src"

! false
false || list=or
same $list or
if false; then list=1; elif true; then list=2; else list=3; fi
same $list 2
{ list=group; (list=child; exit 4) || same $? 4; }
same $list group
set -- p "q r"; shift
same "$# $*" "1 q r"
x=1 y=2
same $x$y 12
same "$(X=5 /rootfs/bin/sh -c 'echo $X$0$1' name arg)" 5namearg
same "$(/rootfs/bin/sh -c 'false; echo on')" on
same "$(/rootfs/bin/sh -ec 'false; echo on' || echo off)" off
same "$(/rootfs/bin/sh -c 'set -o pipefail; false | true' || echo fails)" fails
/rootfs/bin/sh -c 'if' && exit 1
/rootfs/bin/sh -uc 'echo $nothing' && exit 1
/rootfs/bin/sh -c 'no-such-program' || same $? 127
(PATH=/rootfs/bin; sh -c "exit 5") || same $? 5
exit 0
