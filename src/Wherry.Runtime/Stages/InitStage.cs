using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Programs;

namespace Wherry.Runtime.Stages;

/// <summary>
/// <c>--init</c>: the stage stays as the container's first process, runs the user's program as its child, passes
/// signals on to it and reaps what is orphaned. No file of the image is involved.
/// </summary>
public static unsafe class InitStage
{
    /// <returns>The exit code of the program.</returns>
    /// <exception cref="WherryException">The program could not be run.</exception>
    public static int Run(StageChannel channel, PreparedProgram program)
    {
        var child = Start(program);
        ShedPrivileges(program);
        channel.Dispose();
        ProcessSyscalls.SetName("wherry-init");
        return Serve(child);
    }

    private static int Start(PreparedProgram program)
    {
        program.Plan.OwnGroup = true;
        using var stack = new VforkChild();
        var pid = stack.Run(&ProgramChild, program.Address, CloneFlags.None);
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
    private static void ShedPrivileges(PreparedProgram program)
    {
        EveryThread.Run(() =>
        {
            if (!ProgramEntry.ShedPrivileges(ref program.Plan))
            {
                throw program.Failure();
            }
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
