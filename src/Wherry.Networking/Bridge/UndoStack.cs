namespace Wherry.Networking.Bridge;

/// <summary>What to undo, last step first, should a change of several steps fail before it is disarmed.</summary>
internal sealed class UndoStack(Action<string> log) : IDisposable
{
    private readonly Stack<Action> _steps = new();

    public void Push(Action step) => _steps.Push(step);

    /// <summary>The change succeeded; nothing is undone.</summary>
    public void Disarm() => _steps.Clear();

    public void Dispose()
    {
        while (_steps.TryPop(out var step))
        {
            try
            {
                step();
            }
            catch (Exception e)
            {
                // The remaining steps matter more than this one's failure, and the first error is the one to report.
                log($"undoing a failed connection: {e.Message}");
            }
        }
    }
}
