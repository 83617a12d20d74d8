namespace Wherry.Cli.Formatting;

/// <summary>
/// Prints aligned columns. To a terminal it fits the width by shortening the columns that may be shortened, longest
/// first; to a file or a pipe nothing is ever cut.
/// </summary>
internal sealed class Table(string[] headers, bool[] flexible)
{
    private const int Gap = 3;
    private const int Narrowest = 10;
    private const int ShortestCut = 8;

    private readonly List<string[]> _rows = [];

    internal void Add(string[] row) => _rows.Add(row);

    /// <summary>Prints everything, in at most <paramref name="width"/> cells where that is given.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="width">Cells of the terminal; null for no limit.</param>
    /// <param name="withHeader">Whether the header line is printed.</param>
    internal void Write(TextWriter output, int? width, bool withHeader = true)
    {
        if (withHeader)
        {
            _rows.Insert(0, headers);
        }

        var widths = new int[headers.Length];
        foreach (var row in _rows)
        {
            for (var column = 0; column < row.Length; column++)
            {
                widths[column] = Math.Max(widths[column], row[column].Length);
            }
        }

        if (width is { } limit)
        {
            Shrink(widths, limit);
        }

        foreach (var row in _rows)
        {
            for (var column = 0; column < row.Length; column++)
            {
                var cell = row[column];
                if (cell.Length > widths[column])
                {
                    cell = string.Concat(cell.AsSpan(0, widths[column] - 1), "…");
                }

                output.Write(column == row.Length - 1 ? cell : cell.PadRight(Padded(widths[column])));
            }

            output.Write('\n');
        }
    }

    private static int Padded(int width) => Math.Max(Narrowest, width + Gap);

    private void Shrink(int[] widths, int limit)
    {
        var last = widths.Length - 1;
        while (true)
        {
            var total = widths[last];
            var widest = -1;
            for (var column = 0; column < widths.Length; column++)
            {
                total += column == last ? 0 : Padded(widths[column]);
                if (flexible[column] && widths[column] > Math.Max(ShortestCut, headers[column].Length) && (widest < 0 || widths[column] > widths[widest]))
                {
                    widest = column;
                }
            }

            if (total <= limit || widest < 0)
            {
                return;
            }

            widths[widest]--;
        }
    }
}
