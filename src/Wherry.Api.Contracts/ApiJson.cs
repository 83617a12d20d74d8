using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Cleaning;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Execs;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Contracts.Info;
using Wherry.Api.Contracts.Json;
using Wherry.Api.Contracts.Networks;
using Wherry.Api.Contracts.Security;
using Wherry.Api.Contracts.Streams;

using Wherry.Api.Contracts.Volumes;

namespace Wherry.Api.Contracts;

/// <summary>
/// Serialization of the REST API's types, without reflection. Names are matched regardless of case and unknown
/// fields are ignored, as Docker's server and clients do.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    AllowTrailingCommas = false,
    Converters = [typeof(LenientBooleanConverter), typeof(LenientInt32Converter), typeof(LenientInt64Converter)])]
[JsonSerializable(typeof(ContainerConfig))]
[JsonSerializable(typeof(HostConfig))]
[JsonSerializable(typeof(ContainerCreateRequest))]
[JsonSerializable(typeof(ContainerCreateResponse))]
[JsonSerializable(typeof(ContainerInspectResponse))]
[JsonSerializable(typeof(IReadOnlyList<ContainerSummary>))]
[JsonSerializable(typeof(ContainerWaitResponse))]
[JsonSerializable(typeof(ContainerTopResponse))]
[JsonSerializable(typeof(ContainerUpdateResponse))]
[JsonSerializable(typeof(IReadOnlyList<FilesystemChange>))]
[JsonSerializable(typeof(ContainerPathStat))]
[JsonSerializable(typeof(ContainersPruneResponse))]
[JsonSerializable(typeof(VolumesPruneResponse))]
[JsonSerializable(typeof(ImagesPruneResponse))]
[JsonSerializable(typeof(NetworksPruneResponse))]
[JsonSerializable(typeof(BuildPruneResponse))]
[JsonSerializable(typeof(DiskUsageAnswer))]
[JsonSerializable(typeof(ExecCreateRequest))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(ExecInspectResponse))]
[JsonSerializable(typeof(ImageInspect))]
[JsonSerializable(typeof(IReadOnlyList<ImageSummary>))]
[JsonSerializable(typeof(IReadOnlyList<HistoryResponseItem>))]
[JsonSerializable(typeof(IReadOnlyList<ImageDeleteResponseItem>))]
[JsonSerializable(typeof(DistributionInspect))]
[JsonSerializable(typeof(RemoteImageInspect))]
[JsonSerializable(typeof(IReadOnlyList<RemoteDescriptor>))]
[JsonSerializable(typeof(IReadOnlyList<ImageSearchItem>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(PushResult))]
[JsonSerializable(typeof(PushedToRegistry))]
[JsonSerializable(typeof(AuthResponse))]
[JsonSerializable(typeof(Network))]
[JsonSerializable(typeof(IReadOnlyList<Network>))]
[JsonSerializable(typeof(NetworkSettings))]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(VolumeListResponse))]
[JsonSerializable(typeof(VolumeCreateRequest))]
[JsonSerializable(typeof(SystemVersion))]
[JsonSerializable(typeof(SystemInfo))]
[JsonSerializable(typeof(AuthConfig))]
[JsonSerializable(typeof(JsonMessage))]
[JsonSerializable(typeof(ErrorResponse))]
[JsonSerializable(typeof(ContainerSecurity))]
[JsonSerializable(typeof(IdResponse))]
[JsonSerializable(typeof(Dictionary<string, IReadOnlyList<string>>))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, bool>>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
public sealed partial class ApiJson : JsonSerializerContext;
