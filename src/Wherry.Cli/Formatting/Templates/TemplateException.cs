using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>A format can't be read, or does not fit the document it is applied to.</summary>
internal sealed class TemplateException(string reason) : CliException("template parsing error: template: :1: " + reason, 64)
{
    internal static TemplateException NoField(string name) => new($"executing \"\" at <.{name}>: map has no entry for key \"{name}\"");
}
