using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.Accounts;

namespace Wherry.Registry.Authentication;

/// <summary>
/// Names and password hashes, as <c>htpasswd -B</c> writes them. Changes of the file are noticed; one that can't be
/// read keeps what was read before.
/// </summary>
public sealed class HtpasswdFile
{
    /// <summary>A password that was right is not hashed again for so long: clients send it with every request.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private const int MostRemembered = 1024;

    private readonly string _path;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly SemaphoreSlim _hashing = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly ConcurrentDictionary<string, (byte[] Proof, long Until)> _remembered = new(StringComparer.Ordinal);
    private volatile Content _content;

    private HtpasswdFile(string path, Content content)
    {
        _path = path;
        _content = content;
    }

    /// <exception cref="WherryException">The file is missing, or has a hash that is no protection or a line that is none.</exception>
    public static HtpasswdFile Open(string path)
    {
        if (!PasswordHash.IsAvailable)
        {
            throw WherryException.Unsupported("htpasswd: this host has no libcrypt to check passwords with: install libcrypt1");
        }

        return new HtpasswdFile(path, Content.Read(path));
    }

    /// <summary>Whether the name is known and the password is its own. Takes as long for unknown names as for known ones.</summary>
    public async ValueTask<bool> IsValidAsync(string name, string password, CancellationToken cancel)
    {
        Refresh();
        var content = _content;
        var isKnown = content.Hashes.TryGetValue(name, out var hash);
        var proof = HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{hash}\n{name}\n{password}"));
        if (isKnown
            && _remembered.TryGetValue(name, out var remembered)
            && remembered.Until > Environment.TickCount64
            && CryptographicOperations.FixedTimeEquals(remembered.Proof, proof))
        {
            return true;
        }

        // Guessing must not take all processors from those who know.
        await _hashing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var matches = await Task.Run(() => PasswordHash.Matches(password, isKnown ? hash! : content.Decoy), cancel).ConfigureAwait(false);
            if (!matches || !isKnown)
            {
                return false;
            }
        }
        finally
        {
            _hashing.Release();
        }

        if (_remembered.Count >= MostRemembered)
        {
            _remembered.Clear();
        }

        _remembered[name] = (proof, Environment.TickCount64 + (long)Memory.TotalMilliseconds);
        return true;
    }

    private void Refresh()
    {
        var before = _content;
        if (File.GetLastWriteTimeUtc(_path) == before.Written)
        {
            return;
        }

        try
        {
            _content = Content.Read(_path);
        }
        catch (WherryException)
        {
            // Half written, or wrong: those who could log in still can, and the next look tries again.
        }
    }

    private sealed record Content(DateTime Written, IReadOnlyDictionary<string, string> Hashes)
    {
        /// <summary>A hash to spend an unknown name's time on.</summary>
        public string Decoy => Hashes.Values.FirstOrDefault() ?? "";

        public static Content Read(string path)
        {
            string[] lines;
            DateTime written;
            try
            {
                written = File.GetLastWriteTimeUtc(path);
                lines = File.ReadAllLines(path);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw WherryException.Invalid($"htpasswd: {failure.Message}", failure);
            }

            var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < lines.Length; i++)
            {
                var line = lines[i].Trim();
                if (line.Length == 0 || line[0] == '#')
                {
                    continue;
                }

                var colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon <= 0)
                {
                    throw WherryException.Invalid($"htpasswd: {path}, line {i + 1}: it must be NAME:HASH");
                }

                var hash = line[(colon + 1)..];
                if (!PasswordHash.IsStrong(hash))
                {
                    throw WherryException.Invalid($"htpasswd: {path}, line {i + 1}: only bcrypt, yescrypt and SHA-2 hashes are accepted: make one with 'htpasswd -B'");
                }

                hashes[line[..colon]] = hash;
            }

            return new Content(written, hashes);
        }
    }
}
