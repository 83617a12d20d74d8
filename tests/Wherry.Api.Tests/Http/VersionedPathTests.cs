using Wherry.Api.Http;
using Wherry.Errors;

namespace Wherry.Api.Tests.Http;

public sealed class VersionedPathTests
{
    [Theory]
    [InlineData("/v1.41/info", "1.41", "/info")]
    [InlineData("/v1.13/containers/json", "1.13", "/containers/json")]
    [InlineData("/v1.12/_ping", "1.12", "/_ping")]
    [InlineData("/info", "1.56", "/info")]
    [InlineData("/volumes", "1.56", "/volumes")]
    [InlineData("/version", "1.56", "/version")]
    [InlineData("/v1.56", "1.56", "")]
    [InlineData("/vx/info", "1.56", "/vx/info")]
    public void The_version_is_taken_off_the_path(string path, string version, string rest)
    {
        var parsed = VersionedPath.Parse(path);
        Assert.Equal(version, parsed.Version.ToString());
        Assert.Equal(rest, parsed.Path);
    }

    [Theory]
    [InlineData("/v1.99/info", "client version 1.99 is too new. Maximum supported API version is 1.56")]
    [InlineData("/v2.0/info", "client version 2.0 is too new. Maximum supported API version is 1.56")]
    [InlineData("/v1.9/info", "client version 1.9 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version")]
    public void A_version_out_of_range_is_refused_in_dockers_words(string path, string message)
    {
        var refused = Assert.Throws<WherryException>(() => VersionedPath.Parse(path));
        Assert.Equal(ErrorKind.InvalidParameter, refused.Kind);
        Assert.Equal(message, refused.Message);
    }

    [Fact]
    public void Versions_compare_as_numbers() => Assert.True(new ApiVersion(1, 9) < new ApiVersion(1, 12));
}
