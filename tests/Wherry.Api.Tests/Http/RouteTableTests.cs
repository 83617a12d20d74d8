using Wherry.Api.Http;

namespace Wherry.Api.Tests.Http;

public sealed class RouteTableTests
{
    private readonly RouteTable _routes = new();

    public RouteTableTests()
    {
        foreach (var (method, template) in new[]
        {
            ("GET", "/images/json"), ("GET", "/images/get"), ("GET", "/images/{name*}/json"), ("GET", "/images/{name*}/get"),
            ("DELETE", "/images/{name*}"), ("POST", "/images/{name*}/tag"), ("GET", "/containers/json"),
            ("GET", "/containers/{id}/json"), ("POST", "/containers/{id}/start"), ("DELETE", "/containers/{id}"), ("GET", "/volumes"),
            ("GET", "/volumes/{name}"),
        })
        {
            _routes.Add(method, template, _ => throw new InvalidOperationException($"{method} {template}"));
        }
    }

    [Theory]
    [InlineData("GET", "/images/json", "GET /images/json", "")]
    [InlineData("GET", "/images/busybox/json", "GET /images/{name*}/json", "busybox")]
    [InlineData("GET", "/images/library/busybox:1.36/json", "GET /images/{name*}/json", "library/busybox:1.36")]
    [InlineData("GET", "/images/registry.example.org:5000/a/b/json/json", "GET /images/{name*}/json", "registry.example.org:5000/a/b/json")]
    [InlineData("GET", "/images/library%2Fbusybox/json", "GET /images/{name*}/json", "library/busybox")]
    [InlineData("DELETE", "/images/a/b/c", "DELETE /images/{name*}", "a/b/c")]
    [InlineData("POST", "/images/debian@sha256:00/tag", "POST /images/{name*}/tag", "debian@sha256:00")]
    [InlineData("GET", "/images/get", "GET /images/get", "")]
    [InlineData("GET", "/containers/json", "GET /containers/json", "")]
    [InlineData("GET", "/containers/json/json", "GET /containers/{id}/json", "json")]
    [InlineData("DELETE", "/containers/web", "DELETE /containers/{id}", "web")]
    [InlineData("GET", "/volumes", "GET /volumes", "")]
    public async Task A_path_leads_to_its_handler_with_its_name_whole(string method, string path, string route, string parameter)
    {
        var match = _routes.Find(method, path);
        Assert.NotNull(match.Handler);
        Assert.Equal(parameter, match.Parameter);
        var called = await Assert.ThrowsAsync<InvalidOperationException>(() => match.Handler!(null!));
        Assert.Equal(route, called.Message);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/nothing")]
    [InlineData("/containers")]
    [InlineData("/containers//start")]
    [InlineData("/containers/a/b/start")]
    [InlineData("/images//json")]
    [InlineData("/images/")]
    public void An_unknown_path_is_not_found(string path) => Assert.False(_routes.Find("GET", path).IsKnownPath);

    [Fact]
    public void A_wrong_method_is_told_the_right_ones() =>
        Assert.Equal(["POST"], _routes.Find("GET", "/containers/web/start").OtherMethods);
}
