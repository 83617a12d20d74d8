namespace Wherry.Engine.Security;

/// <summary>
/// What any container may call, by topic. Left out on purpose, besides what needs a capability: io_uring (its work
/// is not filtered), keys (add_key, keyctl, request_key: not in a namespace), userfaultfd (it makes races in the
/// kernel easy to win), kexec, swap, quota, modules, and what is obsolete.
/// </summary>
internal static class DefaultSyscalls
{
    public static readonly IReadOnlyList<string> All =
    [
        .. Files(), .. Attributes(), .. Directories(), .. Descriptors(), .. Events(), .. Memory(), .. Processes(),
        .. Identity(), .. Scheduling(), .. Signals(), .. Time(), .. Sockets(), .. Ipc(), .. System(),
    ];

    private static string[] Files() =>
    [
        "open", "openat", "openat2", "creat", "close", "close_range", "read", "pread64", "readv", "preadv", "preadv2", "write", "pwrite64",
        "writev", "pwritev", "pwritev2", "lseek", "_llseek", "truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate", "fadvise64",
        "fadvise64_64", "readahead", "sync", "syncfs", "fsync", "fdatasync", "sync_file_range", "sendfile", "sendfile64", "copy_file_range",
        "splice", "tee", "vmsplice", "flock", "mknod", "mknodat", "name_to_handle_at", "cachestat",
        "io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
    ];

    private static string[] Attributes() =>
    [
        "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "fstatat64", "newfstatat", "statx", "statfs", "statfs64", "fstatfs",
        "fstatfs64", "statmount", "listmount", "access", "faccessat", "faccessat2", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
        "chown32", "lchown", "lchown32", "fchown", "fchown32", "fchownat", "umask", "utime", "utimes", "utimensat", "utimensat_time64",
        "futimesat", "getxattr", "lgetxattr", "fgetxattr", "getxattrat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "listxattr",
        "llistxattr", "flistxattr", "listxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_getattr", "file_setattr",
    ];

    private static string[] Directories() =>
    [
        "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "readlink", "readlinkat", "unlink", "unlinkat", "rename",
        "renameat", "renameat2", "getdents", "getdents64", "getcwd", "chdir", "fchdir",
    ];

    private static string[] Descriptors() =>
        ["dup", "dup2", "dup3", "fcntl", "fcntl64", "ioctl", "pipe", "pipe2", "memfd_create", "memfd_secret", "pidfd_open", "pidfd_send_signal"];

    private static string[] Events() =>
    [
        "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1", "epoll_ctl",
        "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "inotify_init", "inotify_init1",
        "inotify_add_watch", "inotify_rm_watch", "fanotify_mark", "signalfd", "signalfd4",
    ];

    private static string[] Memory() =>
    [
        "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync", "mlock", "mlock2", "mlockall", "munlock",
        "munlockall", "mseal", "remap_file_pages", "pkey_alloc", "pkey_free", "pkey_mprotect", "map_shadow_stack", "membarrier", "process_mrelease",
    ];

    private static string[] Processes() =>
    [
        "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "prctl", "seccomp", "set_tid_address",
        "set_thread_area", "get_thread_area", "set_robust_list", "get_robust_list", "futex", "futex_time64", "futex_wait", "futex_waitv",
        "futex_wake", "futex_requeue", "rseq", "restart_syscall", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "uretprobe",
    ];

    private static string[] Identity() =>
    [
        "getpid", "getppid", "gettid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "getuid", "getuid32", "geteuid", "geteuid32",
        "getgid", "getgid32", "getegid", "getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32",
        "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32", "setresuid", "setresuid32",
        "setresgid", "setresgid32", "setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32", "capget", "capset",
    ];

    private static string[] Scheduling() =>
    [
        "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getattr", "sched_setattr", "sched_getparam", "sched_setparam",
        "sched_getscheduler", "sched_setscheduler", "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval",
        "sched_rr_get_interval_time64", "getpriority", "setpriority", "ioprio_get", "ioprio_set", "getrlimit", "ugetrlimit", "setrlimit",
        "prlimit64", "getrusage", "times", "getcpu",
    ];

    private static string[] Signals() =>
    [
        "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigreturn",
        "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack", "sigprocmask", "sigreturn", "pause",
    ];

    private static string[] Time() =>
    [
        "time", "gettimeofday", "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_adjtime", "clock_adjtime64",
        "adjtimex", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "alarm", "getitimer", "setitimer", "timer_create", "timer_delete",
        "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
        "timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
    ];

    private static string[] Sockets() =>
    [
        "socketcall", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname", "getpeername", "getsockopt",
        "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    ];

    private static string[] Ipc() =>
    [
        "ipc", "shmget", "shmat", "shmdt", "shmctl", "semget", "semop", "semctl", "semtimedop", "semtimedop_time64", "msgget", "msgsnd", "msgrcv",
        "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedsend_time64", "mq_timedreceive", "mq_timedreceive_time64", "mq_notify",
        "mq_getsetattr",
    ];

    private static string[] System() => ["uname", "sysinfo", "getrandom"];
}
