using Wherry.Daemon.Logging;
using Wherry.Registry.Http;

namespace Wherry.Daemon.Registry;

/// <summary>Brings what the registry has to say into the process's log.</summary>
internal sealed class RegistryLog(LineLog log) : IRegistryLog
{
    public void Info(string message) => log.Info(message);

    public void Warn(string message) => log.Write(LogLevel.Warn, message);

    public void Request(string method, string path, int status) => log.Request(method, path, status);

    public void Broken(string method, string path, string message) => log.Broken(method, path, message);

    public void Defect(string method, string path, Exception exception) => log.Defect(method, path, exception);
}
