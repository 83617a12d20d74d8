using System.Globalization;
using Wherry.Registry.Http;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Collection;

/// <summary>When content is collected by itself.</summary>
/// <param name="Interval">Between two collections; null for never.</param>
/// <param name="Grace">How long untouched content is left alone.</param>
public sealed record CollectionSchedule(TimeSpan? Interval, TimeSpan Grace)
{
    /// <summary>Uploads are looked after even where nothing else is.</summary>
    private static readonly TimeSpan UploadInterval = TimeSpan.FromMinutes(5);

    /// <summary>Runs until cancelled. A collection that fails is told and tried again at its next time.</summary>
    internal async Task RunAsync(LocalStore store, Collector collector, IRegistryLog log, CancellationToken cancel)
    {
        var next = Interval is { } first ? Environment.TickCount64 + (long)first.TotalMilliseconds : long.MaxValue;
        while (!cancel.IsCancellationRequested)
        {
            var wait = Math.Clamp(next - Environment.TickCount64, 0, (long)UploadInterval.TotalMilliseconds);
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(wait), cancel).ConfigureAwait(false);
                store.ExpireUploads();
                if (Environment.TickCount64 >= next)
                {
                    next = Environment.TickCount64 + (long)Interval!.Value.TotalMilliseconds;
                    log.Info($"collected: {Describe(await collector.RunAsync(Grace, cancel).ConfigureAwait(false))}");
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is IOException or Errors.WherryException or UnauthorizedAccessException)
            {
                log.Warn($"the collection failed: {failure.Message}");
            }
        }
    }

    internal static string Describe(CollectionReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Manifests} manifests, {report.Links} links, {report.Blobs} blobs ({report.Bytes} bytes), {report.Uploads} uploads in {report.Milliseconds} ms");
}
