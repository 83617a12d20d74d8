using System.Net;
using Wherry.Api.Streams;
using Wherry.Errors;
using Wherry.Images;

namespace Wherry.Api.Tests.Http;

public sealed class ProgressStreamTests
{
    private static Task<RunningServer> StartAsync(Func<ProgressStream, Task> operation) =>
        RunningServer.StartAsync(routes => routes.Post("/images/load", request => ProgressStream.RunAsync(request, operation)));

    [Fact]
    public async Task A_failure_before_the_first_line_is_a_status()
    {
        await using var server = await StartAsync(_ => throw WherryException.Invalid("not an archive"));
        using var client = server.Client();
        using var answer = await client.PostAsync("/images/load", null);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("{\"message\":\"not an archive\"}\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_failure_after_it_is_the_last_line()
    {
        await using var server = await StartAsync(progress =>
        {
            progress.Report(new ImageProgress("layer", "Loading layer", 1, 2));
            throw WherryException.System("no space left on device");
        });
        using var client = server.Client();
        using var answer = await client.PostAsync("/images/load", null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var lines = (await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains("\"progressDetail\":{\"current\":1,\"total\":2}", lines[0]);
        Assert.Equal("""{"errorDetail":{"code":500,"message":"no space left on device"},"error":"no space left on device"}""", lines[1]);
    }

    [Fact]
    public async Task A_flood_of_progress_is_thinned_and_the_end_is_told()
    {
        await using var server = await StartAsync(progress =>
        {
            for (var i = 1; i <= 100_000; i++)
            {
                progress.Report(new ImageProgress("layer", "Loading layer", i, 100_000));
            }

            return Task.CompletedTask;
        });
        using var client = server.Client();
        using var answer = await client.PostAsync("/images/load", null);
        var lines = (await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');
        Assert.InRange(lines.Length, 2, 200);
        Assert.Contains("\"current\":100000,", lines[^1]);
    }
}
