
# As above, but a test begins only when the terminals' receiver listens: Python takes longer to start than a test to
# come to its first container.
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
