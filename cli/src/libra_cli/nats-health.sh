# Health check of nats-server in its container: nothing and 0, or what is wrong in a line and 1.
#
#   sh nats-health.sh http://127.0.0.1:8222/healthz
#
# A log that a full disk closed stays closed until nats-server is started again. Once there is
# room this ends it, as process 1 of its container, and the engine starts it. Any other trouble is
# told and left alone: a server that starts, recovers, is slow or hangs.

exec 2>/dev/null # the shell's own words for a child that ends by a signal
store=${0%/*}/nats
address=${1#http://}
address=${address%%/*}
room=16384 # KiB: two of the largest events

tell() {
    echo "$1"
    exit 1
}

said=$(timeout 5 wget -q -O /dev/null "$1" 2>&1) && exit 0
case $said in
*" 503 "*) ;;
*) tell "nats-server does not answer on $address: ${said:-nothing within 5 s}" ;;
esac

# wget shows no body of a 503; the last line of one is the server's own word.
said=$(printf 'GET /healthz HTTP/1.0\r\n\r\n' |
    timeout 3 nc "${address%:*}" "${address#*:}" | tail -n 1)
case $said in
*"JetStream not enabled"* | *"no space left on device"*) ;;
*) tell "nats-server is not well: ${said:-it does not say why}" ;;
esac

free=$(df -Pk "$store" | awk 'NR == 2 {print $4}')
if [ "${free:-0}" -lt "$room" ]; then
    tell "no room on the disk of $store: ${free:-0} KiB free; the log is closed until there are $room"
fi
if ! (echo >"$store/room"); then
    tell "the disk of $store takes no file though it has room (inodes, a quota?): the log is closed"
fi
rm -f "$store/room"
echo "the log was closed by a full disk, $store has room again: nats-server is started again"
kill -TERM 1
exit 1
