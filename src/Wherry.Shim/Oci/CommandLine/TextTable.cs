using System.Text;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>Rows in columns as wide as their widest cell, at least 12, with three spaces between them; the last is as it is.</summary>
public static class TextTable
{
    private const int Narrowest = 12;
    private const int Gap = 3;

    public static string Format(IReadOnlyList<string[]> rows)
    {
        var text = new StringBuilder();
        for (var row = 0; row < rows.Count; row++)
        {
            var cells = rows[row];
            for (var column = 0; column < cells.Length - 1; column++)
            {
                text.Append(cells[column].PadRight(Math.Max(Narrowest, rows.Max(other => other[column].Length) + Gap)));
            }

            text.Append(cells[^1]).Append(row < rows.Count - 1 ? "\n" : "");
        }

        return text.ToString();
    }
}
