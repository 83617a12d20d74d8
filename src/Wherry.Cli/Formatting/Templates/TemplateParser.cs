namespace Wherry.Cli.Formatting.Templates;

/// <summary>From tokens to nodes.</summary>
internal sealed class TemplateParser(List<Token> tokens)
{
    private int _at;

    private Token Next => tokens[_at];

    internal IReadOnlyList<Node> ParseAll()
    {
        var nodes = ParseList(out var ending);
        return ending is null ? nodes : throw new TemplateException($"unexpected {{{{{ending}}}}}");
    }

    /// <summary>Reads nodes until the end, or until <c>end</c> or <c>else</c>, whose braces are left open for the caller.</summary>
    private List<Node> ParseList(out string? ending)
    {
        var nodes = new List<Node>();
        while (true)
        {
            var token = tokens[_at++];
            if (token.Kind == TokenKind.End)
            {
                ending = null;
                return nodes;
            }

            if (token.Kind == TokenKind.Text)
            {
                nodes.Add(new TextNode(token.Text));
                continue;
            }

            var keyword = Next.Kind == TokenKind.Identifier ? Next.Text : "";
            switch (keyword)
            {
                case "end" or "else":
                    _at++;
                    ending = keyword;
                    return nodes;
                case "if":
                    _at++;
                    nodes.Add(ParseIf());
                    break;
                case "range":
                    _at++;
                    var (rangePipeline, rangeBody, rangeElse) = ParseBlock("range");
                    nodes.Add(new RangeNode(rangePipeline, rangeBody, rangeElse));
                    break;
                case "with":
                    _at++;
                    var (withPipeline, withBody, withElse) = ParseBlock("with");
                    nodes.Add(new WithNode(withPipeline, withBody, withElse));
                    break;
                case "define" or "template" or "block" or "break" or "continue":
                    throw new TemplateException($"{{{{{keyword}}}}} is not supported; use fields, functions, if, with and range");
                default:
                    nodes.Add(new ActionNode(ParsePipeline(TokenKind.Close)));
                    break;
            }
        }
    }

    private IfNode ParseIf()
    {
        var branches = new List<(Pipeline?, IReadOnlyList<Node>)>();
        var condition = ParsePipeline(TokenKind.Close);
        while (true)
        {
            var body = ParseList(out var ending);
            branches.Add((condition, body));
            if (ending == "end")
            {
                Take(TokenKind.Close);
                return new IfNode(branches);
            }

            if (ending is null)
            {
                throw new TemplateException("unexpected EOF");
            }

            if (Next is { Kind: TokenKind.Identifier, Text: "if" })
            {
                _at++;
                condition = ParsePipeline(TokenKind.Close);
                continue;
            }

            branches.Add((null, ParseElse()));
            return new IfNode(branches);
        }
    }

    private (Pipeline Pipeline, IReadOnlyList<Node> Body, IReadOnlyList<Node> Else) ParseBlock(string keyword)
    {
        var pipeline = ParsePipeline(TokenKind.Close);
        var body = ParseList(out var ending);
        switch (ending)
        {
            case "end":
                Take(TokenKind.Close);
                return (pipeline, body, []);
            case "else":
                return (pipeline, body, ParseElse());
            default:
                throw new TemplateException($"unexpected EOF in {{{{{keyword}}}}}");
        }
    }

    private List<Node> ParseElse()
    {
        Take(TokenKind.Close);
        var nodes = ParseList(out var ending);
        if (ending != "end")
        {
            throw new TemplateException("expected end; found {{else}}");
        }

        Take(TokenKind.Close);
        return nodes;
    }

    private Pipeline ParsePipeline(TokenKind close)
    {
        var (variables, assigns) = ParseDeclaration();
        var commands = new List<IReadOnlyList<Operand>>();
        var operands = new List<Operand>();
        while (true)
        {
            var token = tokens[_at++];
            if (token.Kind == close || token.Kind == TokenKind.Pipe)
            {
                if (operands.Count == 0)
                {
                    throw new TemplateException("missing value for command");
                }

                commands.Add(operands);
                operands = [];
                if (token.Kind == close)
                {
                    return new Pipeline(variables, assigns, commands);
                }

                continue;
            }

            operands.Add(ParseOperand(token));
        }
    }

    private (List<string> Variables, bool Assigns) ParseDeclaration()
    {
        var start = _at;
        var variables = new List<string>();
        while (Next.Kind == TokenKind.Variable)
        {
            variables.Add(tokens[_at++].Text);
            if (Next.Kind == TokenKind.Comma)
            {
                _at++;
                continue;
            }

            break;
        }

        if (variables.Count > 0 && Next.Kind is TokenKind.Declare or TokenKind.Assign)
        {
            return (variables, tokens[_at++].Kind == TokenKind.Assign);
        }

        _at = start;
        return ([], false);
    }

    private Operand ParseOperand(Token token)
    {
        switch (token.Kind)
        {
            case TokenKind.String:
                return new LiteralOperand(token.Text);
            case TokenKind.Number:
                return new LiteralOperand(token.Value);
            case TokenKind.Dot:
                return new ChainOperand(null, []);
            case TokenKind.Field:
                return new ChainOperand(null, Fields(token.Text));
            case TokenKind.Variable:
                return WithFields(new VariableOperand(token.Text));
            case TokenKind.LeftParenthesis:
                return WithFields(new NestedOperand(ParsePipeline(TokenKind.RightParenthesis)));
            case TokenKind.Identifier:
                return token.Text switch
                {
                    "true" => new LiteralOperand(true),
                    "false" => new LiteralOperand(false),
                    "nil" => new LiteralOperand(null),
                    _ => TemplateFunctions.Exists(token.Text)
                        ? new FunctionOperand(token.Text)
                        : throw new TemplateException($"function \"{token.Text}\" not defined"),
                };
            case TokenKind.End:
                throw new TemplateException("unclosed action");
            default:
                throw new TemplateException($"unexpected \"{token.Text}\" in command");
        }
    }

    private Operand WithFields(Operand start)
    {
        var fields = Fields(null);
        return fields.Count == 0 ? start : new ChainOperand(start, fields);
    }

    private List<string> Fields(string? first)
    {
        var fields = new List<string>();
        if (first is not null)
        {
            fields.Add(first);
        }

        while (Next is { Kind: TokenKind.Field, Adjacent: true })
        {
            fields.Add(tokens[_at++].Text);
        }

        return fields;
    }

    private void Take(TokenKind kind)
    {
        if (tokens[_at].Kind != kind)
        {
            throw new TemplateException($"unexpected \"{tokens[_at].Text}\"");
        }

        _at++;
    }
}
