using System.Buffers;

namespace Wherry.Engine.Logs;

/// <summary>
/// Reads one log file forwards, whole lines at a time, through one reused buffer. A line without its line feed
/// is read again when more of the file is there.
/// </summary>
internal sealed class LogLines : IDisposable
{
    private const int InitialBuffer = 64 * 1024;

    /// <summary>
    /// Supervisors split output every 16 KiB, at most six bytes each in JSON; whatever is longer was not written by
    /// one and is passed over, so that memory stays bounded.
    /// </summary>
    private const int LongestLine = 1024 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _start;
    private int _end;
    private long _readTo;
    private bool _skipping;

    /// <summary>Goes on with another file (or another place); what was kept back of the last one is dropped.</summary>
    public void MoveTo(OpenLog file, long offset)
    {
        File = file;
        _readTo = offset;
        _start = _end = 0;
        _skipping = false;
    }

    public OpenLog? File { get; private set; }

    /// <summary>Fills the buffer from the file, up to <paramref name="limit"/>.</summary>
    /// <returns>False when there is nothing more at this moment.</returns>
    public async ValueTask<bool> FillAsync(long limit, CancellationToken cancel)
    {
        MakeRoom();
        var wanted = (int)Math.Min(_buffer.Length - _end, limit - _readTo);
        if (wanted <= 0)
        {
            return false;
        }

        var read = await RandomAccess.ReadAsync(File!.Handle, _buffer.AsMemory(_end, wanted), _readTo, cancel).ConfigureAwait(false);
        if (read == 0)
        {
            // A torn line is read anew: on a full disk its writer takes it back.
            _readTo -= _end - _start;
            _start = _end = 0;

            // Cut short from outside (logrotate's copytruncate): begin again rather than wait for ever.
            if (File.Length < _readTo)
            {
                MoveTo(File, 0);
                return limit > 0 && File.Length > 0;
            }

            return false;
        }

        _readTo += read;
        _end += read;
        return true;
    }

    /// <summary>The next whole line in the buffer, without its line feed; valid until the next call of anything here.</summary>
    public bool TryNext(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var available = _buffer.AsSpan(_start, _end - _start);
            var length = available.IndexOf((byte)'\n');
            if (length < 0)
            {
                line = default;
                return false;
            }

            _start += length + 1;
            if (_skipping)
            {
                _skipping = false;
                continue;
            }

            line = available[..length];
            return true;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void MakeRoom()
    {
        var kept = _end - _start;
        if (kept >= LongestLine)
        {
            _skipping = true;
            kept = 0;
            _start = _end;
        }

        if (kept > _buffer.Length / 2)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(_start, kept).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        }

        _start = 0;
        _end = kept;
    }
}
