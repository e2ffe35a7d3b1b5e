#!/bin/sh
# Runs a command in several processes, each on a host of its own that this script makes: network namespaces on one machine,
# joined by links of a given bandwidth. Needs root and Linux.
#
#   sh tests/hosts/run.sh HOSTS RATE COMMAND...
#
#   sh tests/hosts/run.sh 3 100mbit target/release/warplaw run --only ring --budget 3min
#
# The bandwidth is that of each direction of the link of a host, as `tc` writes it. A token bucket shapes it, and TCP uses Reno,
# because BBR retransmits much where a bucket drops packets.
set -eu

if [ $# -lt 3 ]; then
    echo "usage: sh tests/hosts/run.sh HOSTS RATE COMMAND..." >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "error: namespaces need root: run this as root" >&2
    exit 2
fi
hosts=$1
rate=$2
shift 2
bridge=wpl-bridge
net=10.213.77

remove() {
    for host in $(seq 1 "$hosts"); do
        ip netns delete "wpl-$host" 2>/dev/null || true
        ip link delete "wpl-out-$host" 2>/dev/null || true
    done
    ip link delete "$bridge" 2>/dev/null || true
    rm -rf "$work"
}
work=$(mktemp -d)
trap remove EXIT
trap 'exit 130' INT TERM

ip link add "$bridge" type bridge
ip address add "$net.254/24" dev "$bridge"
ip link set "$bridge" up
list=
for host in $(seq 1 "$hosts"); do
    name=wpl-$host
    ip netns add "$name"
    ip link add "wpl-out-$host" type veth peer name eth0 netns "$name"
    ip link set "wpl-out-$host" master "$bridge" up
    ip -n "$name" address add "$net.$host/24" dev eth0
    ip -n "$name" link set eth0 up
    ip -n "$name" link set lo up
    # A packet is not larger than the wire allows: the bucket would drop what the card is to split.
    ip netns exec "$name" ethtool -K eth0 tso off gso off gro off >/dev/null 2>&1 || true
    ethtool -K "wpl-out-$host" tso off gso off gro off >/dev/null 2>&1 || true
    tc -n "$name" qdisc add dev eth0 root tbf rate "$rate" burst 16kb latency 50ms
    tc qdisc add dev "wpl-out-$host" root tbf rate "$rate" burst 16kb latency 50ms
    ip netns exec "$name" sysctl -q -w net.ipv4.tcp_congestion_control=reno
    list=$list${list:+,}$net.$host
done

# What mpirun calls instead of ssh: the host, then the command as the words of a shell.
cat >"$work/agent" <<'AGENT'
#!/bin/sh
host=wpl-${1##*.}
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
AGENT
chmod +x "$work/agent"

# The hosts share the cores of this machine: a process is not bound to the first core of its host, and leaves the core if it
# waits.
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -n "$hosts" --host "$list" \
    --bind-to none --mca mpi_yield_when_idle 1 \
    --mca plm_rsh_agent "$work/agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca btl tcp,self --mca btl_tcp_if_include "$net.0/24" --mca oob_tcp_if_include "$net.0/24" \
    "$@"
