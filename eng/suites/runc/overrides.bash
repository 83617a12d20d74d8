
# Laid over helpers.bash. As above there, but a test begins only when the terminals' receiver listens: Python takes
# longer to start than a test to come to its first container.
function wait_for_socket() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		[ ! -S "$1" ] || return 0
		sleep 0.05
	done
	fail "nobody listens at $1"
}

function setup_recvtty() {
	[ -z "$ROOT" ] && return 1
	mkdir "$ROOT/tty"
	export CONSOLE_SOCKET="$ROOT/tty/sock"
	("$RECVTTY" --pid-file "$ROOT/tty/pid" --mode null "$CONSOLE_SOCKET" &) &
	wait_for_socket "$CONSOLE_SOCKET"
}

function setup_seccompagent() {
	("${SECCOMP_AGENT}" -socketfile="$SECCCOMP_AGENT_SOCKET" -pid-file "$BATS_TMPDIR/seccompagent.pid" &) &
	wait_for_socket "$SECCCOMP_AGENT_SOCKET"
}

# Of the controllers those that are mounted: where one is not, their tests would leave a directory in the place of its tree.
eval "their_$(declare -f init_cgroup_paths)"
function init_cgroup_paths() {
	their_init_cgroup_paths
	[ "$CGROUP_UNIFIED" = no ] || return 0
	local controller mounted=
	for controller in $CGROUP_SUBSYSTEMS; do
		! mountpoint -q "/sys/fs/cgroup/$controller" || mounted+="$controller "
	done
	CGROUP_SUBSYSTEMS=$mounted
}
