using System.Runtime.InteropServices;

namespace Wherry.Linux.Kernel;

/// <summary>
/// Numbers of the system calls made without a libc wrapper (syscalls(2)). The only place that knows one
/// architecture from another; calls added since Linux 5.1 have the same number everywhere.
/// </summary>
public static class SyscallNumber
{
    public static int Accept4 => Pick(288, 242);
    public static int Bind => Pick(49, 200);
    public static int Bpf => Pick(321, 280);
    public static int Capget => Pick(125, 90);
    public static int Capset => Pick(126, 91);
    public static int Chdir => Pick(80, 49);
    public static int Chroot => Pick(161, 51);
    public static int Close => Pick(3, 57);
    public static int Connect => Pick(42, 203);
    public static int CopyFileRange => Pick(326, 285);
    public static int Dup3 => Pick(292, 24);
    public static int EpollCreate1 => Pick(291, 20);
    public static int EpollCtl => Pick(233, 21);
    public static int EpollPwait => Pick(281, 22);
    public static int Eventfd2 => Pick(290, 19);
    public static int Execve => Pick(59, 221);
    public static int Execveat => Pick(322, 281);
    public static int ExitGroup => Pick(231, 94);
    public static int Fchdir => Pick(81, 50);
    public static int Fchmod => Pick(91, 52);
    public static int Fchmodat => Pick(268, 53);
    public static int Fchown => Pick(93, 55);
    public static int Fchownat => Pick(260, 54);
    public static int Fcntl => Pick(72, 25);
    public static int Fgetxattr => Pick(193, 10);
    public static int Flistxattr => Pick(196, 13);
    public static int Flock => Pick(73, 32);
    public static int Fsetxattr => Pick(190, 7);
    public static int Fstatfs => Pick(138, 44);
    public static int Fsync => Pick(74, 82);
    public static int Ftruncate => Pick(77, 46);
    public static int Getcwd => Pick(79, 17);
    public static int Getdents64 => Pick(217, 61);
    public static int Getegid => Pick(108, 177);
    public static int Geteuid => Pick(107, 175);
    public static int Getpid => Pick(39, 172);
    public static int Getppid => Pick(110, 173);
    public static int Getsockopt => Pick(55, 209);
    public static int InotifyAddWatch => Pick(254, 27);
    public static int InotifyInit1 => Pick(294, 26);
    public static int Ioctl => Pick(16, 29);
    public static int IoprioSet => Pick(251, 30);
    public static int Keyctl => Pick(250, 219);
    public static int Kill => Pick(62, 129);
    public static int Linkat => Pick(265, 37);
    public static int Listen => Pick(50, 201);
    public static int Lseek => Pick(8, 62);
    public static int MemfdCreate => Pick(319, 279);
    public static int Mkdirat => Pick(258, 34);
    public static int Mknodat => Pick(259, 33);
    public static int Mmap => Pick(9, 222);
    public static int Mount => Pick(165, 40);
    public static int Munmap => Pick(11, 215);
    public static int Openat => Pick(257, 56);
    public static int Personality => Pick(135, 92);
    public static int Pipe2 => Pick(293, 59);
    public static int PivotRoot => Pick(155, 41);
    public static int Prctl => Pick(157, 167);
    public static int Prlimit64 => Pick(302, 261);
    public static int Read => Pick(0, 63);
    public static int Readlinkat => Pick(267, 78);
    public static int Recvfrom => Pick(45, 207);
    public static int Recvmsg => Pick(47, 212);
    public static int Renameat2 => Pick(316, 276);
    public static int RtSigaction => Pick(13, 134);
    public static int RtSigprocmask => Pick(14, 135);
    public static int RtSigtimedwait => Pick(128, 137);
    public static int Seccomp => Pick(317, 277);
    public static int Sendfile => Pick(40, 71);
    public static int Sendmsg => Pick(46, 211);
    public static int Sendto => Pick(44, 206);
    public static int Setdomainname => Pick(171, 162);
    public static int Setgroups => Pick(116, 159);
    public static int Sethostname => Pick(170, 161);
    public static int Setns => Pick(308, 268);
    public static int SchedSetaffinity => Pick(203, 122);
    public static int SchedSetattr => Pick(314, 274);
    public static int Setfsgid => Pick(123, 152);
    public static int Setfsuid => Pick(122, 151);
    public static int SetMempolicy => Pick(238, 237);
    public static int Setpgid => Pick(109, 154);
    public static int Setresgid => Pick(119, 149);
    public static int Setresuid => Pick(117, 147);
    public static int Setsid => Pick(112, 157);
    public static int Shutdown => Pick(48, 210);
    public static int Signalfd4 => Pick(289, 74);
    public static int Socket => Pick(41, 198);
    public static int Socketpair => Pick(53, 199);
    public static int Statx => Pick(332, 291);
    public static int Symlinkat => Pick(266, 36);
    public static int Umask => Pick(95, 166);
    public static int Umount2 => Pick(166, 39);
    public static int Unlinkat => Pick(263, 35);
    public static int Unshare => Pick(272, 97);
    public static int Utimensat => Pick(280, 88);
    public static int Wait4 => Pick(61, 260);
    public static int Write => Pick(1, 64);

    public static int PidfdSendSignal => 424;
    public static int OpenTree => 428;
    public static int MoveMount => 429;
    public static int Fsopen => 430;
    public static int Fsconfig => 431;
    public static int Fsmount => 432;
    public static int PidfdOpen => 434;
    public static int CloseRange => 436;
    public static int Openat2 => 437;
    public static int PidfdGetfd => 438;
    public static int Faccessat2 => 439;
    public static int MountSetattr => 442;
    public static int QuotactlFd => 443;
    public static int LandlockCreateRuleset => 444;
    public static int LandlockRestrictSelf => 446;

    // The comparison folds to a constant when compiled ahead of time for one architecture.
    private static int Pick(int x64, int arm64) =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? arm64 : x64;
}
