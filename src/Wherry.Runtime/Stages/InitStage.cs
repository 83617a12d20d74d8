using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Stages;

/// <summary>
/// <c>--init</c>: the stage stays as the container's first process, runs the user's program as its child, passes
/// signals on to it and reaps what is orphaned. No file of the image is involved.
/// </summary>
internal static unsafe class InitStage
{
    private const int FirstOfOwn = 3;

    /// <param name="channel">To the supervisor.</param>
    /// <param name="program">What to run.</param>
    /// <param name="handover">Waits for the program's seccomp listener; null without.</param>
    /// <param name="seccomp">The container's rules, for this process itself.</param>
    /// <returns>The exit code of the program.</returns>
    /// <exception cref="WherryException">The program could not be run.</exception>
    public static int Run(StageChannel channel, PreparedProgram program, ListenerHandover? handover, SeccompConfig? seccomp)
    {
        var child = Start(program);
        handover?.Dispose();
        ShedPrivileges(program, seccomp);
        channel.Dispose();

        // The host's /proc and sources of mounts are among them: who may trace this process could go there through /proc/1/fd.
        FileSyscalls.CloseFrom(FirstOfOwn);
        ProcessSyscalls.SetName("wherry-init");
        return Serve(child);
    }

    private static int Start(PreparedProgram program)
    {
        program.Plan.OwnGroup = true;
        var pid = VforkChild.Run(&ProgramChild, program.Address, CloneFlags.None, &program.Address->ProcessId);
        if (pid < 0)
        {
            throw new LinuxException("make a process for the program", -pid);
        }

        if (program.Plan.FailedStep != ProgramStep.None)
        {
            ProcessSyscalls.Wait(pid, block: true);
            throw program.Failure();
        }

        return pid;
    }

    // What runs in the container must be no more powerful than the container; that holds for each thread of this process too.
    private static void ShedPrivileges(PreparedProgram program, SeccompConfig? seccomp)
    {
        using var filter = SyscallFilter.PrepareForInit(seccomp);
        EveryThread.Run(() =>
        {
            // First, while this thread may; what follows is among what it allows.
            filter?.InstallOnThisThread();
            if (!ProgramEntry.ShedPrivileges(ref program.Plan))
            {
                throw program.Failure();
            }

            // Last: a profile may leave no capability to change users with. Without one, programs in the container could
            // not signal this process: their profile knows its own kind alone.
            program.ConfineThisThread();
        });
        ProcessSyscalls.SetDumpable(false);

        // The working directory would keep a mount busy.
        FileSyscalls.TryChangeDirectory("/");
    }

    private static int Serve(int child)
    {
        while (true)
        {
            var signal = SignalSyscalls.Wait(SignalSyscalls.Deliverable);
            if (signal != SignalNumber.Chld)
            {
                ProcessSyscalls.Kill(child, signal);
                continue;
            }

            while (ProcessSyscalls.Wait(-1, block: false) is { } ended)
            {
                if (ended.Pid == child)
                {
                    return ended.ExitCode;
                }
            }
        }
    }

    // Runs in the child: see VforkChild for what it may do.
    [UnmanagedCallersOnly]
    private static int ProgramChild(void* plan)
    {
        // SAFETY: the plan is the parent's, which stands still until we have executed or exited.
        ProgramEntry.Run(ref Unsafe.AsRef<ProgramPlan>(plan));
        VforkChild.Exit(1);
        return 0;
    }
}
