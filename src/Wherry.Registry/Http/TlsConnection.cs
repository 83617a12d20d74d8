using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Wherry.Registry.Http;

/// <summary>
/// TLS below Kestrel's HTTP. Its own adapter asks for the service container of a whole web host, which this server
/// does without.
/// </summary>
internal sealed class TlsConnection(TlsIdentity identity)
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Bytes; a TLS record has at most 16 KiB.</summary>
    private const int BufferSize = 32 * 1024;

    /// <summary>Kestrel's connection middleware.</summary>
    internal ConnectionDelegate Middleware(ConnectionDelegate next) => async connection =>
    {
        var plain = connection.Transport;
        var tls = new SslStream(new PipeStream(plain), leaveInnerStreamOpen: false);
        await using (tls.ConfigureAwait(false))
        {
            if (!await HandshakeAsync(tls, connection.ConnectionClosed).ConfigureAwait(false))
            {
                return;
            }

            connection.Features.Set<ITlsConnectionFeature>(new TlsFeature());
            var secured = new SecuredTransport(
                PipeReader.Create(tls, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true)),
                PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true)));
            connection.Transport = secured;
            try
            {
                await next(connection).ConfigureAwait(false);
                await secured.Output.CompleteAsync().ConfigureAwait(false);
                await secured.Input.CompleteAsync().ConfigureAwait(false);
            }
            catch (IOException)
            {
                // The client went away with the last bytes on their way.
            }
            finally
            {
                connection.Transport = plain;
            }
        }
    };

    private async Task<bool> HandshakeAsync(SslStream tls, CancellationToken closed)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(closed);
        limit.CancelAfter(HandshakeTimeout);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = identity.Current,
            ClientCertificateRequired = false,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        };
        try
        {
            await tls.AuthenticateAsServerAsync(options, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is IOException or AuthenticationException or OperationCanceledException or ConnectionAbortedException)
        {
            return false; // speaks no TLS, or doesn't trust us: nothing an administrator can act on
        }
    }

    /// <summary>Marks the connection as secure, from which the scheme of its requests follows.</summary>
    private sealed class TlsFeature : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }

    private sealed record SecuredTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Both directions of a pipe as one stream.</summary>
    private sealed class PipeStream(IDuplexPipe pipe) : Stream
    {
        private readonly Stream _input = pipe.Input.AsStream(leaveOpen: true);
        private readonly Stream _output = pipe.Output.AsStream(leaveOpen: true);

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("only asynchronous reading is supported");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("only asynchronous writing is supported");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _output.WriteAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override void Flush()
        {
            // Every write has been flushed already.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
