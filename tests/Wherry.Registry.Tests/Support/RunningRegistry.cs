using System.Net;
using Wherry.Registry.Collection;
using Wherry.Registry.Http;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Tests.Support;

/// <summary>A real registry on a loopback port, with a root of its own that goes with it.</summary>
internal sealed class RunningRegistry : IAsyncDisposable, IRegistryLog
{
    private readonly List<HttpClient> _clients = [];
    private RegistryServer? _server;

    private RunningRegistry()
    {
    }

    public string Root { get; private init; } = "";

    public LocalStore Store { get; private set; } = null!;

    public Collector Collector => field ??= new Collector(Store, keepUntagged: false);

    public HttpClient Client { get; private set; } = null!;

    public List<Exception> Defects { get; } = [];

    public string Host => _server!.Addresses[0].ToString();

    public static Task<RunningRegistry> StartAsync() => StartAsync(_ => { });

    public static async Task<RunningRegistry> StartAsync(Action<Setup> change)
    {
        var root = Directory.CreateTempSubdirectory("wherry-registry-").FullName;
        var running = new RunningRegistry { Root = root };
        var setup = new Setup { Store = new StoreOptions { Root = root }, Log = running };
        change(setup);
        running.Store = LocalStore.Open(setup.Store);
        var options = new RegistryServerOptions
        {
            Content = running.Store,
            Store = running.Store,
            Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
            Collection = new CollectionSchedule(null, TimeSpan.FromDays(1)),
        };
        running._server = await RegistryServer.StartAsync(setup.Server(options, running.Store), running, null, CancellationToken.None);
        running.Client = running.NewClient(setup.Scheme);
        return running;
    }

    public string MetricsHost => _server!.MetricsAddress!.ToString();

    public HttpClient NewClient(string scheme = "http", HttpMessageHandler? handler = null, string? address = null)
    {
        var client = new HttpClient(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
        {
            BaseAddress = new Uri($"{scheme}://{address ?? Host}"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        _clients.Add(client);
        return client;
    }

    public void Info(string message)
    {
        // Of no interest here.
    }

    public void Warn(string message)
    {
        // Of no interest here.
    }

    public void Request(string method, string path, int status)
    {
        // Of no interest here.
    }

    public void Broken(string method, string path, string message)
    {
        // Of no interest here.
    }

    public void Defect(string method, string path, Exception exception) => Defects.Add(exception);

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _server!.StopAsync(TimeSpan.FromSeconds(1));
        await _server.DisposeAsync();
        Store.Dispose();
        Directory.Delete(Root, recursive: true);
        Assert.Empty(Defects);
    }

    /// <summary>What a test wants other than usual.</summary>
    internal sealed class Setup
    {
        public required StoreOptions Store { get; set; }

        public required IRegistryLog Log { get; init; }

        public Func<RegistryServerOptions, LocalStore, RegistryServerOptions> Server { get; set; } = (options, _) => options;

        public string Scheme { get; set; } = "http";
    }
}
