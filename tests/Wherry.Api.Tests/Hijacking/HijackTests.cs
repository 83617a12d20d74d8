using System.Net.Sockets;
using System.Text;
using Wherry.Api.Contracts;
using Wherry.Api.Hijacking;

namespace Wherry.Api.Tests.Hijacking;

public sealed class HijackTests
{
    private const string Body = """{"Detach":false,"Tty":false}""";

    private static readonly string ExecStart =
        $"POST /v1.41/exec/1/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";

    private const string Attach = "POST /v1.56/attach HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";

    /// <summary>Reads all input, then answers with it and a large tail: what a filter such as sort does.</summary>
    private static Task<RunningServer> StartEchoAsync(int tail = 0) => RunningServer.StartAsync(routes =>
    {
        async Task EchoAsync(Wherry.Api.Http.ApiRequest request, bool tty)
        {
            await Hijack.RunAsync(request, tty, async (input, output, cancel) =>
            {
                var text = new StringBuilder();
                while (true)
                {
                    var read = await input.ReadAsync(cancel);
                    text.Append(Encoding.ASCII.GetString(read.Buffer));
                    input.AdvanceTo(read.Buffer.End);
                    if (read.IsCompleted)
                    {
                        break;
                    }
                }

                await Task.Delay(50, cancel);
                await output.WriteAsync(Encoding.ASCII.GetBytes($"got {text}"), cancel);
                await output.WriteAsync(new byte[tail], cancel);
                await output.WriteAsync("end"u8.ToArray(), cancel);
            });
        }

        routes.Post("/exec/{id}/start", async request =>
        {
            _ = await request.BodyAsync(ApiJson.Default.ExecStartRequest);
            await EchoAsync(request, tty: false);
        });
        routes.Post("/attach", request => EchoAsync(request, tty: false));
        routes.Get("/plain", request => request.AnswerAsync(204));
    });

    [Fact]
    public async Task What_the_program_says_after_the_client_has_half_closed_arrives_whole()
    {
        const int Tail = 3_000_000;
        await using var server = await StartEchoAsync(Tail);
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(ExecStart));
        var head = await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\n", head);
        Assert.Contains("\r\nUpgrade: tcp\r\n", head);
        await socket.SendAsync("x\n"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);
        var output = await RunningServer.ReadToEndAsync(socket);
        Assert.StartsWith("got x\n", output);
        Assert.EndsWith("end", output);
        Assert.Equal("got x\n".Length + Tail + "end".Length, output.Length);
    }

    [Fact]
    public async Task Input_sent_right_behind_the_request_is_not_lost()
    {
        await using var server = await StartEchoAsync();
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(ExecStart + "early"));
        await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("got earlyend", await RunningServer.ReadToEndAsync(socket));
    }

    [Fact]
    public async Task A_kept_alive_connection_can_still_be_taken_over()
    {
        await using var server = await StartEchoAsync();
        using var socket = await server.ConnectAsync();
        await socket.SendAsync("GET /plain HTTP/1.1\r\nHost: docker\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 204", await RunningServer.ReadUntilAsync(socket, "\r\n\r\n"));
        await socket.SendAsync(Encoding.ASCII.GetBytes(Attach));
        await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        await socket.SendAsync("again"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("got againend", await RunningServer.ReadToEndAsync(socket));
    }

    [Fact]
    public async Task Without_an_upgrade_header_the_stream_follows_a_200()
    {
        await using var server = await StartEchoAsync();
        using var socket = await server.ConnectAsync();
        await socket.SendAsync("POST /v1.12/attach HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        var head = await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head);
        Assert.DoesNotContain("Upgrade", head);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("got end", await RunningServer.ReadToEndAsync(socket));
    }

    [Theory]
    [InlineData("1.41", "application/vnd.docker.raw-stream")]
    [InlineData("1.42", "application/vnd.docker.multiplexed-stream")]
    public async Task The_content_type_is_what_the_clients_version_knows(string version, string type)
    {
        await using var server = await StartEchoAsync();
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Attach.Replace("1.56", version, StringComparison.Ordinal)));
        Assert.Contains($"\r\nContent-Type: {type}\r\n", await RunningServer.ReadUntilAsync(socket, "\r\n\r\n"));
        socket.Shutdown(SocketShutdown.Send);
        await RunningServer.ReadToEndAsync(socket);
    }

    [Fact]
    public async Task A_program_that_ends_without_reading_its_input_does_not_reset_the_connection()
    {
        await using var server = await RunningServer.StartAsync(routes => routes.Post("/attach", request =>
            Hijack.RunAsync(request, tty: true, async (_, output, cancel) => await output.WriteAsync("bye"u8.ToArray(), cancel))));
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Attach));
        await socket.SendAsync(new byte[100_000]);
        var text = await RunningServer.ReadToEndAsync(socket);
        Assert.EndsWith("\r\n\r\nbye", text);
    }

    [Fact]
    public async Task What_follows_a_session_is_not_taken_for_a_request()
    {
        var requests = 0;
        await using var server = await RunningServer.StartAsync(routes =>
        {
            routes.Post("/attach", request => Hijack.RunAsync(request, tty: true, (_, _, _) => Task.CompletedTask));
            routes.Get("/secret", request =>
            {
                requests++;
                return request.AnswerAsync(200);
            });
        });
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Attach));
        await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        await Task.Delay(2500); // past the grace in which input is read and dropped
        try
        {
            await socket.SendAsync("GET /secret HTTP/1.1\r\nHost: docker\r\n\r\n"u8.ToArray());
        }
        catch (SocketException)
        {
            // Closed already, which is as good.
        }

        await Task.Delay(300);
        Assert.Equal(0, requests);
    }

    [Fact]
    public async Task A_session_learns_that_its_client_has_closed_even_when_it_had_half_closed_before()
    {
        var gone = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync(routes => routes.Post("/attach", request =>
            Hijack.RunAsync(request, tty: true, async (_, _, cancel) =>
            {
                await using var registration = cancel.Register(gone.SetResult);
                await Task.Delay(Timeout.Infinite, cancel);
            })));
        using (var socket = await server.ConnectAsync())
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(Attach));
            await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
            socket.Shutdown(SocketShutdown.Send);
            await Task.Delay(700);
            Assert.False(gone.Task.IsCompleted);
        }

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_stopping_server_does_not_wait_for_a_quiet_session()
    {
        var server = await RunningServer.StartAsync(routes => routes.Post("/attach", request =>
            Hijack.RunAsync(request, tty: true, (_, _, cancel) => Task.Delay(Timeout.Infinite, cancel))));
        using var socket = await server.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Attach));
        await RunningServer.ReadUntilAsync(socket, "\r\n\r\n");
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(8));
    }
}
