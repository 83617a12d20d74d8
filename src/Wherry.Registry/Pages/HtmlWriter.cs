using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Wherry.Registry.Pages;

/// <summary>Writes HTML from interpolated text: what is written out is markup, what is filled in is text and gets escaped.</summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _text = new();

    internal void Add([InterpolatedStringHandlerArgument("")] ref Markup markup)
    {
        // The handler has written as it was filled.
        _text.Append('\n');
    }

    public override string ToString() => _text.ToString();

    /// <summary>Fills in values as the compiler hands them over.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Markup
    {
        private readonly StringBuilder _text;

        public Markup(int literalLength, int formattedCount, HtmlWriter writer) => _text = writer._text;

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(string? value) => _text.Append(HtmlEncoder.Default.Encode(value ?? ""));

        public void AppendFormatted(int value) => _text.Append(value.ToString(CultureInfo.InvariantCulture));
    }
}
