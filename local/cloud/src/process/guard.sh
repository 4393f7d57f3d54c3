# Runs a program and ends it when this shell's standard input closes, which the kernel does for its holder however that
# one ended. $1 is the signal that asks the program to end; the rest is the program and its arguments.
signal=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
(
  read -r _ <&3
  kill -s "$signal" "$child"
  patience=80
  while [ "$patience" -gt 0 ] && kill -0 "$child"; do
    sleep 0.1
    patience=$((patience - 1))
  done
  kill -s KILL "$child"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
