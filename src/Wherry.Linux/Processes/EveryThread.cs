namespace Wherry.Linux.Processes;

/// <summary>
/// Runs something on each thread of a process that has but two: the one that calls and the runtime's
/// finalizer thread. Signal masks, credentials and capabilities are the kernel's per-thread matters, and
/// what one thread keeps the whole process can be made to use.
/// </summary>
public static class EveryThread
{
    /// <exception cref="Errors.WherryException">The process has more threads than that, or the action threw on the other one.</exception>
    public static void Run(Action action)
    {
        var threads = Directory.GetDirectories("/proc/self/task").Length;
        if (threads > 2)
        {
            throw Errors.WherryException.System($"this process has {threads} threads where at most 2 were expected");
        }

        action();
        if (threads == 2)
        {
            var done = new Outcome();
            Abandon(action, done);
            while (!done.Ran)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            if (done.Failure is { } failure)
            {
                throw Errors.WherryException.System($"on the finalizer thread: {failure.Message}", failure);
            }
        }
    }

    // Apart, so that no reference to the errand stays in the caller's frame.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Abandon(Action action, Outcome outcome) => _ = new Errand(action, outcome);

    private sealed class Outcome
    {
        public volatile bool Ran;
        public volatile Exception? Failure;
    }

    private sealed class Errand(Action action, Outcome outcome)
    {
#pragma warning disable MA0055 // A finalizer is the one way onto the finalizer thread.
        ~Errand()
#pragma warning restore MA0055
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                outcome.Failure = e;
            }

            outcome.Ran = true;
        }
    }
}
