using System.Collections.Concurrent;

namespace Wherry.Registry.Storage;

/// <summary>The uploads that are open. They end with the process: a client whose upload is gone begins again.</summary>
internal sealed class UploadTable(StoreLayout layout, StoreOptions options) : IDisposable
{
    /// <summary>
    /// How long a request waits for another on the same upload: a client whose connection broke comes back before
    /// the server has noticed.
    /// </summary>
    private static readonly TimeSpan TurnPatience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Upload> _open = new(StringComparer.Ordinal);

    internal int Count => _open.Count;

    internal Upload Begin(string repository, string algorithm)
    {
        if (_open.Count >= options.MaximumUploads)
        {
            throw new RegistryException(429, ErrorCode.TooManyRequests, $"too many uploads are open: at most {options.MaximumUploads} at a time");
        }

        var id = Guid.NewGuid().ToString("D");
        var upload = new Upload(id, repository, layout.Upload(id), algorithm);
        _open[id] = upload;
        return upload;
    }

    /// <summary>Runs one request's work on an upload, alone.</summary>
    /// <exception cref="RegistryException">There is no such upload in this repository, or another request keeps it.</exception>
    internal async Task<T> WithAsync<T>(string repository, string id, Func<Upload, Task<T>> work, CancellationToken cancel)
    {
        if (!_open.TryGetValue(id, out var upload) || upload.Repository != repository)
        {
            throw RegistryException.UploadUnknown(id);
        }

        if (!await upload.Turn.WaitAsync(TurnPatience, cancel).ConfigureAwait(false))
        {
            throw new RegistryException(409, ErrorCode.BlobUploadInvalid, "another request is using this upload", id);
        }

        try
        {
            if (upload.IsEnded)
            {
                throw RegistryException.UploadUnknown(id);
            }

            upload.LastUsed = Environment.TickCount64;
            return await work(upload).ConfigureAwait(false);
        }
        finally
        {
            upload.LastUsed = Environment.TickCount64;
            upload.Turn.Release();
        }
    }

    /// <summary>Ends an upload, whose turn the caller has.</summary>
    internal void End(Upload upload)
    {
        _open.TryRemove(upload.Id, out _);
        upload.Dispose();
    }

    /// <summary>Gives up what nobody has touched for the time set, and returns how many these were.</summary>
    internal int Expire()
    {
        var ended = 0;
        var limit = Environment.TickCount64 - (long)options.UploadExpiry.TotalMilliseconds;
        foreach (var upload in _open.Values.Where(upload => upload.LastUsed < limit))
        {
            if (!upload.Turn.Wait(0))
            {
                continue; // in use after all
            }

            try
            {
                if (upload.LastUsed < limit)
                {
                    End(upload);
                    ended++;
                }
            }
            finally
            {
                upload.Turn.Release();
            }
        }

        return ended;
    }

    public void Dispose()
    {
        foreach (var upload in _open.Values)
        {
            upload.Dispose();
        }

        _open.Clear();
    }
}
