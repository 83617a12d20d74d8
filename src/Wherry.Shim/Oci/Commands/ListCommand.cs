using System.Globalization;
using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>list</c>: the containers below the root.</summary>
public sealed class ListCommand : ICommand
{
    public OptionTable Options => new("list [options]", "format,f= table or json", "quiet,q Print ids only");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("list", 0);
        var format = parsed.Text("format") ?? "table";
        if (format is not ("table" or "json"))
        {
            throw WherryException.Invalid("invalid format option");
        }

        var rows = Read(global);
        if (parsed.IsOn("quiet"))
        {
            rows.ForEach(row => ConsoleText.WriteLine(1, row.State.Id));
        }
        else if (format == "table")
        {
            ConsoleText.WriteLine(1, TextTable.Format([
                ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
                .. rows.Select(row => (string[])[
                    row.State.Id,
                    (row.Status == ContainerStatus.Stopped ? 0 : row.State.Pid).ToString(CultureInfo.InvariantCulture),
                    row.Status.Text(),
                    row.State.Bundle,
                    row.State.Created.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
                    row.Owner]),
            ]));
        }
        else
        {
            // As runc has it: no container is null, not an empty array.
            ConsoleText.WriteLine(1, rows.Count == 0 ? "null" : Json(rows));
        }

        return 0;
    }

    private static string Json(List<Row> rows) => Encoding.UTF8.GetString(JsonText.Write(json =>
    {
        json.WriteStartArray();
        foreach (var row in rows)
        {
            StateCommand.Write(json, row.State, row.Status, row.Owner);
        }

        json.WriteEndArray();
    }));

    private static List<Row> Read(GlobalOptions global)
    {
        var rows = new List<Row>();
        List<string> names;
        try
        {
            using var root = FileSyscalls.Open(global.Root, OpenFlags.ReadOnly | OpenFlags.Directory);
            names = DirectoryEntries.Read(root);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            return rows;
        }

        names.Sort(StringComparer.Ordinal);
        foreach (var name in names)
        {
            try
            {
                using var container = Container.TryOpen(global.Root, name);
                if (container is { IsBlank: false })
                {
                    var owner = FileStatus.At(null, container.Directory.Path)?.Uid ?? 0;
                    rows.Add(new Row(container.State, container.Status(), OwnerName.Of(owner)));
                }
            }
            catch (WherryException e)
            {
                global.Log.Error($"load container {name}: {e.Message}");
            }
        }

        return rows;
    }

    private sealed record Row(ContainerState State, ContainerStatus Status, string Owner);
}
