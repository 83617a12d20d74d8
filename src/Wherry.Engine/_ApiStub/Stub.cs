#pragma warning disable
using System.IO.Pipelines;
using Wherry.Api.Contracts.Containers; using Wherry.Api.Contracts.Execs; using Wherry.Api.Contracts.Info; using Wherry.Api.Contracts.Volumes; using Wherry.Api.Contracts.Networks;
using Wherry.Images; using Wherry.Engine.Containers; using Wherry.Engine.Execs; using Wherry.Engine.Logs; using Wherry.Engine.Volumes; using Wherry.Engine.Hosts; using Wherry.Engine.Networks; using Wherry.Engine.Filters;
namespace Wherry.Engine {
public sealed record EngineOptions { public string DataRoot { get; init; } = "/var/lib/wherry"; public string ExecRoot { get; init; } = "/run/wherry"; public string BridgeName { get; init; } = "wherry0"; public string? Bip { get; init; } public string CgroupParent { get; init; } = "wherry"; public string StorageDriver { get; init; } = "overlay"; public required string ShimPath { get; init; } public bool Debug { get; init; } public IReadOnlyDictionary<string,string> Labels { get; init; } = new Dictionary<string,string>(); }
public sealed class WherryEngine : IAsyncDisposable {
 public static Task<WherryEngine> OpenAsync(EngineOptions o, Action<string> log, CancellationToken c) => Task.FromResult(new WherryEngine());
 public ContainerService Containers { get; } = new(); public ExecService Execs { get; } = new(); public ImageStore Images => throw new NotSupportedException("images"); public VolumeStore Volumes { get; } = new(); public SystemService System { get; } = new(); public NetworkService Networks { get; } = new();
 public ValueTask DisposeAsync() => default; } }
namespace Wherry.Engine.Containers {
public enum WaitCondition { NotRunning, NextExit, Removed }
public sealed record AttachQuery(bool Logs, bool Stream, bool Stdin, bool Stdout, bool Stderr, string? DetachKeys);
public sealed record ContainerListQuery(bool All, int Limit, bool Size, IReadOnlyDictionary<string, IReadOnlyList<string>> Filters);
public sealed record CommitQuery(string? Reference, string? Author, string? Comment, IReadOnlyList<string> Changes, bool Pause, ContainerConfig? Config);
public sealed class AttachSession : IAsyncDisposable { public bool Tty; public Task RunAsync(PipeReader i, PipeWriter o, CancellationToken c) => throw new NotSupportedException(); public ValueTask DisposeAsync() => default; }
public sealed class ContainerService {
 public Task<ContainerCreateResponse> CreateAsync(ContainerCreateRequest r, string? n, CancellationToken c) => throw new NotSupportedException();
 public Task StartAsync(string i, CancellationToken c) => throw new NotSupportedException();
 public Task StopAsync(string i, string? s, int? t, CancellationToken c) => throw new NotSupportedException();
 public Task RestartAsync(string i, string? s, int? t, CancellationToken c) => throw new NotSupportedException();
 public Task KillAsync(string i, string? s, CancellationToken c) => throw new NotSupportedException();
 public Task PauseAsync(string i, CancellationToken c) => throw new NotSupportedException();
 public Task UnpauseAsync(string i, CancellationToken c) => throw new NotSupportedException();
 public Task RenameAsync(string i, string n, CancellationToken c) => throw new NotSupportedException();
 public Task RemoveAsync(string i, bool f, bool v, CancellationToken c) => throw new NotSupportedException();
 public Task<ContainerWaitResponse> WaitAsync(string i, WaitCondition w, CancellationToken c) => throw new NotSupportedException();
 public IReadOnlyList<ContainerSummary> List(ContainerListQuery q) => [];
 public ContainerInspectResponse Inspect(string i, bool s) => throw new NotSupportedException();
 public Task<AttachSession> AttachAsync(string i, AttachQuery q, CancellationToken c) => throw new NotSupportedException();
 public Task WriteLogsAsync(string i, LogQuery q, Func<bool, PipeWriter> o, CancellationToken c) => throw new NotSupportedException();
 public Task ResizeAsync(string i, int h, int w, CancellationToken c) => throw new NotSupportedException();
 public Task<ContainerTopResponse> TopAsync(string i, string? p, CancellationToken c) => throw new NotSupportedException();
 public Task<string> CommitAsync(string i, CommitQuery q, CancellationToken c) => throw new NotSupportedException();
 public IReadOnlyList<ImageUser> UsersOf(Image i) => []; public IReadOnlyList<string> UsersOfVolume(string v) => []; } }
namespace Wherry.Engine.Execs { public sealed class ExecService { public Task<string> CreateAsync(string c, ExecCreateRequest r, CancellationToken t) => throw new NotSupportedException(); public Task<AttachSession?> StartAsync(string i, ExecStartRequest r, CancellationToken t) => throw new NotSupportedException(); public ExecInspectResponse Inspect(string i) => throw new NotSupportedException(); public Task ResizeAsync(string i, int h, int w, CancellationToken c) => throw new NotSupportedException(); } }
namespace Wherry.Engine.Logs { public readonly record struct TimeArgument(long N) { public static TimeArgument? Parse(string? t, DateTimeOffset n) => null; } public sealed record LogQuery { public bool Follow { get; init; } public bool Stdout { get; init; } public bool Stderr { get; init; } public TimeArgument? Since { get; init; } public TimeArgument? Until { get; init; } public bool Timestamps { get; init; } public int? Tail { get; init; } public static int? ParseTail(string? t) => null; } }
namespace Wherry.Engine.Filters { public sealed class FilterArguments { public FilterArguments(IReadOnlyDictionary<string, IReadOnlyList<string>>? v = null) {} public IReadOnlyDictionary<string, IReadOnlyList<string>> Values => new Dictionary<string, IReadOnlyList<string>>(); public static FilterArguments Parse(string? j) => new(); public bool Contains(string n) => false; public IReadOnlyList<string> this[string n] => []; public void RequireKnown(params ReadOnlySpan<string> n) {} public bool MatchesExactly(string n, string v) => true; public bool MatchesPattern(string n, string v) => true; public bool? Flag(string n) => null; public bool MatchesLabels(string n, IReadOnlyDictionary<string,string> l) => true; }
 public sealed record ImageFilterSubject { public required string Id { get; init; } public required DateTimeOffset Created { get; init; } public IReadOnlyList<string> RepoTags { get; init; } = []; public IReadOnlyList<string> RepoDigests { get; init; } = []; public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(); }
 public sealed class ImageFilter { public ImageFilter(FilterArguments f, Func<string, DateTimeOffset> c) {} public bool Matches(ImageFilterSubject i) => true; public IReadOnlyList<string> VisibleTags(ImageFilterSubject i) => i.RepoTags; } }
namespace Wherry.Engine.Volumes { public sealed class VolumeStore { public IReadOnlyList<Volume> List(FilterArguments f, Func<string,bool> u) => []; public Volume Inspect(string n) => throw new NotSupportedException(); public Volume Create(VolumeCreateRequest r) => throw new NotSupportedException(); public void Remove(string n, bool f, IReadOnlyList<string> u) => throw new NotSupportedException(); } }
namespace Wherry.Engine.Hosts { public sealed class SystemService { public SystemVersion Version() => new() { Version = "0.1.0" }; public SystemInfo Info() => new(); } }
namespace Wherry.Engine.Networks { public sealed class NetworkService { public IReadOnlyList<Network> List(FilterArguments f) => []; public Network Inspect(string n) => throw new NotSupportedException(); } }
