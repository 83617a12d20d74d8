using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wherry.Errors;

namespace Wherry.Registry.Http;

/// <summary>The server's certificate and key, read again when their files change, as renewals do.</summary>
public sealed class TlsIdentity
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly Lock _reading = new();
    private volatile SslStreamCertificateContext _current;
    private (DateTime Certificate, DateTime Key) _written;
    private long _lastLook;

    private TlsIdentity(string certificateFile, string keyFile)
    {
        _certificateFile = certificateFile;
        _keyFile = keyFile;
        _written = Written();
        _current = Read();
        _lastLook = Environment.TickCount64;
    }

    /// <param name="certificateFile">PEM: the server's own certificate first, then those between it and the root.</param>
    /// <param name="keyFile">PEM.</param>
    /// <exception cref="WherryException">A file can't be read, or they don't belong together.</exception>
    public static TlsIdentity Open(string certificateFile, string keyFile)
    {
        try
        {
            return new TlsIdentity(certificateFile, keyFile);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw WherryException.Invalid($"tls-cert {certificateFile}, tls-key {keyFile}: {failure.Message}", failure);
        }
    }

    internal SslStreamCertificateContext Current
    {
        get
        {
            if (Environment.TickCount64 - Interlocked.Read(ref _lastLook) > (long)LookInterval.TotalMilliseconds && _reading.TryEnter())
            {
                try
                {
                    Refresh();
                }
                finally
                {
                    Interlocked.Exchange(ref _lastLook, Environment.TickCount64);
                    _reading.Exit();
                }
            }

            return _current;
        }
    }

    private void Refresh()
    {
        var written = Written();
        if (written == _written)
        {
            return;
        }

        try
        {
            _current = Read();
            _written = written;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // A renewal writes one file after the other: what worked goes on until both fit.
        }
    }

    private (DateTime Certificate, DateTime Key) Written() => (File.GetLastWriteTimeUtc(_certificateFile), File.GetLastWriteTimeUtc(_keyFile));

    private SslStreamCertificateContext Read()
    {
        var own = X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certificateFile);
        if (chain.Count > 0)
        {
            chain.RemoveAt(0);
        }

        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }
}
