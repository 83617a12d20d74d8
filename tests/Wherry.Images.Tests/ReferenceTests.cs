using Wherry.Errors;
using Wherry.Images.References;

namespace Wherry.Images.Tests;

public sealed class ReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("debian", "docker.io/library/debian:latest", "debian:latest")]
    [InlineData("debian:bookworm", "docker.io/library/debian:bookworm", "debian:bookworm")]
    [InlineData("library/debian", "docker.io/library/debian:latest", "debian:latest")]
    [InlineData("docker.io/debian", "docker.io/library/debian:latest", "debian:latest")]
    [InlineData("index.docker.io/me/app", "docker.io/me/app:latest", "me/app:latest")]
    [InlineData("me/app:1.0", "docker.io/me/app:1.0", "me/app:1.0")]
    [InlineData("localhost/app", "localhost/app:latest", "localhost/app:latest")]
    [InlineData("localhost:5000/a/b__c/d-e:X_1.2-3", "localhost:5000/a/b__c/d-e:X_1.2-3", "localhost:5000/a/b__c/d-e:X_1.2-3")]
    [InlineData("registry.example.com/x", "registry.example.com/x:latest", "registry.example.com/x:latest")]
    [InlineData("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest")]
    [InlineData("debian@" + Digest, "docker.io/library/debian@" + Digest, "debian@" + Digest)]
    [InlineData("debian:a@" + Digest, "docker.io/library/debian:a@" + Digest, "debian:a@" + Digest)]
    public void Names_are_read_as_Docker_reads_them(string text, string full, string familiar)
    {
        var reference = ImageReference.Parse(text).WithDefaultTag();
        Assert.Equal((full, familiar), (reference.ToString(), reference.Familiar));
    }

    [Theory]
    [InlineData("", "invalid reference format")]
    [InlineData(":tag", "invalid reference format")]
    [InlineData("a b", "invalid reference format")]
    [InlineData("a:", "invalid reference format")]
    [InlineData("a:b:c", "invalid reference format")]
    [InlineData("-a", "invalid reference format")]
    [InlineData("a..b", "invalid reference format")]
    [InlineData("a/../b", "invalid reference format")]
    [InlineData("a//b", "invalid reference format")]
    [InlineData("a\n", "invalid reference format")]
    [InlineData("a@sha256:0123", "invalid reference format")]
    [InlineData("a@sha256:0123456789abcdef0123456789abcdef", "invalid checksum digest length")]
    [InlineData("a@md5:0123456789abcdef0123456789abcdef", "unsupported digest algorithm")]
    [InlineData("Debian", "invalid reference format: repository name (library/Debian) must be lowercase")]
    [InlineData("x.y/Debian:T", "invalid reference format: repository name (Debian) must be lowercase")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "invalid repository name (0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef), cannot specify 64-byte hexadecimal strings")]
    public void What_is_no_name_is_refused_in_Dockers_words(string text, string message)
    {
        var failure = Assert.Throws<WherryException>(() => ImageReference.Parse(text));
        Assert.Equal((ErrorKind.InvalidParameter, message), (failure.Kind, failure.Message));
    }

    [Fact]
    public void Long_names_and_tags_are_refused()
    {
        Assert.Equal("repository name must not be more than 255 characters", Assert.Throws<WherryException>(() => ImageReference.Parse(new string('a', 256))).Message);
        Assert.Throws<WherryException>(() => ImageReference.Parse("a:" + new string('t', 129)));
        Assert.NotNull(ImageReference.Parse("a:" + new string('t', 128)));
        Assert.Throws<WherryException>(() => ImageReference.Parse(new string('a', 1_000_000)));
    }
}
