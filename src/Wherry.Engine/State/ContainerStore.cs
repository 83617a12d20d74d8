using System.Text.Json;
using Wherry.Errors;

namespace Wherry.Engine.State;

/// <summary>
/// Containers' directories and records on disk. A directory appears under its id only when it is complete and
/// leaves that name before it is emptied, so what a crash leaves half done is told by its name alone.
/// </summary>
internal sealed class ContainerStore
{
    private const string RecordName = "container.json";
    private const string CreatingSuffix = ".creating";
    private const string RemovingSuffix = ".removing";
    private readonly string _root;

    /// <param name="dataRoot">The engine's data root.</param>
    public ContainerStore(string dataRoot)
    {
        _root = Path.Combine(dataRoot, "containers");
        Directory.CreateDirectory(_root, PrivateMode);
    }

    /// <summary>Containers may hold secrets and set-uid files: only root may look in.</summary>
    private const UnixFileMode PrivateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string DirectoryOf(string id) => Path.Combine(_root, id);

    /// <summary>Makes the directory a new container is prepared in.</summary>
    public string BeginCreate(string id)
    {
        var directory = Path.Combine(_root, id + CreatingSuffix);
        Directory.CreateDirectory(directory, PrivateMode);
        return directory;
    }

    /// <summary>Writes the record and gives the prepared directory its final name: from here on the container exists.</summary>
    public void CompleteCreate(ContainerRecord record)
    {
        var preparing = Path.Combine(_root, record.Id + CreatingSuffix);
        Write(Path.Combine(preparing, RecordName), record);
        Directory.Move(preparing, DirectoryOf(record.Id));
    }

    public void Save(ContainerRecord record) => Write(Path.Combine(DirectoryOf(record.Id), RecordName), record);

    /// <summary>Takes the container out of sight and returns the directory that is left to delete.</summary>
    public string BeginRemove(string id)
    {
        var removing = Path.Combine(_root, id + RemovingSuffix);
        if (Directory.Exists(DirectoryOf(id)))
        {
            Directory.Move(DirectoryOf(id), removing);
        }

        return removing;
    }

    /// <summary>Directories whose creation or removal was cut short.</summary>
    public IEnumerable<string> ListUnfinished() => Directory.EnumerateDirectories(_root)
        .Where(directory => directory.EndsWith(CreatingSuffix, StringComparison.Ordinal)
            || directory.EndsWith(RemovingSuffix, StringComparison.Ordinal));

    /// <summary>Every readable record; those that can't be read are reported and left for a person to look at.</summary>
    public IReadOnlyList<ContainerRecord> LoadAll(Action<string> report)
    {
        var records = new List<ContainerRecord>();
        foreach (var directory in Directory.EnumerateDirectories(_root))
        {
            var path = Path.Combine(directory, RecordName);
            if (Path.GetFileName(directory).Contains('.'))
            {
                continue;
            }

            try
            {
                using var file = File.OpenRead(path);
                records.Add(JsonSerializer.Deserialize(file, RecordJson.Default.ContainerRecord)
                    ?? throw new JsonException("the record is null"));
            }
            catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
            {
                report($"container {Path.GetFileName(directory)}: its record {path} can't be read and it is left out: {failure.Message}");
            }
        }

        return records;
    }

    private static void Write(string path, ContainerRecord record)
    {
        var temporary = path + ".tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                JsonSerializer.Serialize(file, record, RecordJson.Default.ContainerRecord);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException failure)
        {
            throw WherryException.System($"write the record of container {record.Name}: {failure.Message}", failure);
        }
    }
}
