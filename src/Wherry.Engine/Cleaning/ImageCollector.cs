using Wherry.Errors;
using Wherry.Images;

namespace Wherry.Engine.Cleaning;

/// <summary>
/// Removes images that nothing uses, by age and when space runs short, with the rules of a pruning: none that a container
/// was made of goes, none that another image was made from, and a tag only where the options say so.
/// </summary>
internal sealed class ImageCollector : IAsyncDisposable
{
    /// <summary>What was pulled, loaded or used so lately may be about to become a container; the disk's want does not change that.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(10);

    /// <summary>How long a broken-off pull may be taken up again when space is short.</summary>
    private static readonly TimeSpan PartialLifetime = TimeSpan.FromHours(1);

    private readonly EngineParts _parts;
    private readonly PruneService _prune;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public ImageCollector(EngineParts parts, PruneService prune)
    {
        _parts = parts;
        _prune = prune;
        _running = Options.IsOff ? Task.CompletedTask : Task.Run(RunAsync);
    }

    private ImageGcOptions Options => _parts.Options.ImageGc;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Options.Every);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                CollectOnce();
            }
        }
        catch (OperationCanceledException)
        {
            // The engine ends.
        }
    }

    private void CollectOnce()
    {
        try
        {
            if (Options.UnusedFor is { } age)
            {
                var limit = DateTime.UtcNow - age;
                Tell(_prune.Images(!Options.Tagged, image => _parts.Images.LastUse(image) < limit, _stop.Token), $"unused for {Words(age)}");
            }

            if (Missing() > 0)
            {
                MakeRoom();
            }
        }
        catch (WherryException busy) when (busy.Kind == ErrorKind.Conflict)
        {
            // Somebody prunes by hand: the next look is soon enough.
        }
        catch (Exception failure) when (failure is WherryException or IOException or UnauthorizedAccessException)
        {
            _parts.Log($"image gc: {failure.Message}");
        }
    }

    /// <summary>The longest unused first, until there is as much room as asked for.</summary>
    private void MakeRoom()
    {
        var partials = _parts.Images.RemovePartials(DateTime.UtcNow - PartialLifetime);
        if (partials > 0)
        {
            _parts.Log($"image gc: removed what broken-off pulls had left, {partials / 1_000_000} MB");
        }

        var limit = DateTime.UtcNow - Recent;
        foreach (var (image, use) in _parts.Images.List().Select(image => (image, Use: _parts.Images.LastUse(image))).OrderBy(pair => pair.Use).ToList())
        {
            if (_stop.IsCancellationRequested || use >= limit || Missing() <= 0)
            {
                return;
            }

            Tell(_prune.Images(!Options.Tagged, other => other.Id == image.Id && _parts.Images.LastUse(other) < limit, _stop.Token), "to make room");
        }
    }

    /// <summary>Bytes that the file system has less than it should.</summary>
    private long Missing()
    {
        if (Options.KeepFree is not { } wanted)
        {
            return 0;
        }

        var disk = new DriveInfo(_parts.Options.DataRoot);
        return wanted.Of(disk.TotalSize) - disk.AvailableFreeSpace;
    }

    private void Tell(ImagePruning done, string why)
    {
        foreach (var deletion in done.Deletions.Where(deletion => deletion.Untagged is not null))
        {
            _parts.Log($"image gc: untagged {deletion.Untagged}, {why}");
        }

        if (done.Deletions.Count > 0)
        {
            _parts.Log($"image gc: removed {string.Join(", ", done.Deletions.Where(deletion => deletion.Deleted is not null).Select(deletion => deletion.Deleted))}, {why}; layers of {done.SpaceReclaimed / 1_000_000} MB went");
        }
    }

    private static string Words(TimeSpan age) =>
        age.TotalDays >= 1 ? $"{age.TotalDays:0.#} days" : age.TotalHours >= 1 ? $"{age.TotalHours:0.#} hours" : $"{age.TotalSeconds:0} seconds";
}
