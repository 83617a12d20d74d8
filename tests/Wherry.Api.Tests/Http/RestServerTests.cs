using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Wherry.Api.Contracts;
using Wherry.Api.Http;
using Wherry.Api.Unsupported;
using Wherry.Errors;

namespace Wherry.Api.Tests.Http;

public sealed class RestServerTests
{
    private static Task<RunningServer> StartAsync() => RunningServer.StartAsync(routes =>
    {
        routes.Post("/echo", async request =>
        {
            var body = await request.BodyAsync(ApiJson.Default.VolumeCreateRequest);
            await request.AnswerAsync(body, ApiJson.Default.VolumeCreateRequest, 201);
        });
        routes.Get("/version-spoken", request => request.Http.Response.WriteAsync(request.Version.ToString()));
        foreach (var kind in Enum.GetValues<ErrorKind>())
        {
            routes.Get("/fail/" + kind, _ => throw new WherryException(kind, "because " + kind));
        }

        routes.Get("/defect", _ => throw new InvalidOperationException("unforeseen"));
        routes.Get("/breaks", async request =>
        {
            await request.Http.Response.WriteAsync("half");
            await request.Http.Response.Body.FlushAsync();
            throw WherryException.System("disk gone");
        });
        UnbuiltRoutes.AddTo(routes);
    });

    [Theory]
    [InlineData(ErrorKind.InvalidParameter, 400)]
    [InlineData(ErrorKind.Forbidden, 403)]
    [InlineData(ErrorKind.NotFound, 404)]
    [InlineData(ErrorKind.Conflict, 409)]
    [InlineData(ErrorKind.TooLarge, 413)]
    [InlineData(ErrorKind.System, 500)]
    [InlineData(ErrorKind.Unsupported, 501)]
    [InlineData(ErrorKind.Unavailable, 503)]
    public async Task A_failure_has_dockers_status_and_body(ErrorKind kind, int status)
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync($"/v1.41/fail/{kind}");
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal($$"""{"message":"because {{kind}}"}""" + "\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task What_is_already_as_asked_is_304_without_a_body()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/fail/NotModified");
        Assert.Equal(HttpStatusCode.NotModified, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_defect_is_500_and_goes_to_the_log()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/defect");
        Assert.Equal(500, (int)answer.StatusCode);
        Assert.Single(server.Defects);
    }

    [Fact]
    public async Task A_body_that_breaks_off_never_looks_whole()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetStringAsync("/breaks"));
    }

    [Fact]
    public async Task Every_answer_carries_the_headers_clients_negotiate_by()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/v1.24/version-spoken");
        Assert.Equal("1.24", await answer.Content.ReadAsStringAsync());
        Assert.Equal("1.56", Assert.Single(answer.Headers.GetValues("Api-Version")));
        Assert.Equal("linux", Assert.Single(answer.Headers.GetValues("Ostype")));
        Assert.Equal("false", Assert.Single(answer.Headers.GetValues("Docker-Experimental")));
        Assert.StartsWith("Wherry/", string.Join(" ", answer.Headers.GetValues("Server")));
    }

    [Fact]
    public async Task An_unknown_path_is_404_page_not_found()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/v1.41/nothing/here");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("page not found", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_wrong_method_is_405_and_names_the_right_one()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/echo");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(["POST"], answer.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_version_from_the_future_is_400_in_dockers_words()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/v1.99/version-spoken");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("client version 1.99 is too new. Maximum supported API version is 1.56", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("GET", "/v1.41/events", "GET /events")]
    [InlineData("POST", "/containers/web/copy", "POST /containers/{id}/copy")]
    [InlineData("POST", "/plugins/a/b/push", "POST /plugins/{name}/push")]
    public async Task An_endpoint_not_built_yet_is_501_and_named(string method, string path, string named)
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(HttpStatusCode.NotImplemented, answer.StatusCode);
        Assert.Contains(named, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{", "application/json", 400, "invalid JSON")]
    [InlineData("", "application/json", 400, "EOF")]
    [InlineData("null", "application/json", 400, "invalid JSON")]
    [InlineData("[1]", "application/json", 400, "invalid JSON")]
    [InlineData("{} trailing", "application/json", 400, "invalid JSON")]
    [InlineData("{\"Name\":5}", "application/json", 400, "invalid JSON")]
    [InlineData("{}", "text/plain", 400, "unsupported Content-Type header (text/plain; charset=utf-8): must be 'application/json'")]
    public async Task A_body_that_is_not_the_json_asked_for_is_refused(string body, string type, int status, string message)
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.PostAsync("/echo", new StringContent(body, Encoding.UTF8, type));
        Assert.Equal(status, (int)answer.StatusCode);
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains(message, error.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_oversized_body_is_413_whether_it_declares_its_length_or_not(bool declared)
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        var text = "{\"Name\":\"" + new string('x', JsonBody.MaximumSize) + "\"}";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/echo");
        request.Content = new StringContent(text, Encoding.UTF8, "application/json");
        request.Headers.TransferEncodingChunked = !declared;
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("4 MiB", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_good_body_comes_back()
    {
        await using var server = await StartAsync();
        using var client = server.Client();
        using var answer = await client.PostAsync("/echo", new StringContent("""{"name":"v","Labels":null,"Unknown":{"a":[1]}}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Contains("\"Name\":\"v\"", await answer.Content.ReadAsStringAsync());
    }
}
