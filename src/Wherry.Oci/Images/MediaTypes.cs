namespace Wherry.Oci.Images;

/// <summary>Media types of the image-spec and of Docker's schema 2, and annotation keys in use.</summary>
public static class MediaTypes
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string OciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>A configuration, or a layer, of an artifact that has none: the two bytes <c>{}</c> (image-spec, manifest.md).</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>The name of a file in an artifact.</summary>
    public const string TitleAnnotation = "org.opencontainers.image.title";

    /// <summary>The tag alone in a plain image layout, or a whole name.</summary>
    public const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>The whole name, as containerd and Docker write it beside the tag.</summary>
    public const string ContainerdNameAnnotation = "io.containerd.image.name";

    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerManifestList;

    /// <summary>A layer's archive that the registry itself has; encrypted ones are not.</summary>
    public static bool IsLayer(string? mediaType) =>
        mediaType is OciLayer or OciLayerGzip or OciLayerZstd or DockerLayer or DockerLayerGzip or DockerLayerZstd;

    /// <summary>A layer that is to be fetched from its owner alone.</summary>
    public static bool IsForeignLayer(string? mediaType) =>
        mediaType is not null
        && (mediaType.StartsWith("application/vnd.docker.image.rootfs.foreign.", StringComparison.Ordinal)
            || mediaType.StartsWith("application/vnd.oci.image.layer.nondistributable.", StringComparison.Ordinal));

    /// <summary>An image's configuration; one without a type is taken for it. Whatever has another is an artifact.</summary>
    public static bool IsImageConfig(string? mediaType) => mediaType is null or OciConfig or DockerConfig;

    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;
}
