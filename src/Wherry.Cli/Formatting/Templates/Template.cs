using System.Text;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>
/// A format as Go's <c>text/template</c> has it, without what formats don't need (definitions, methods of Go types).
/// Parsed once, applied to any number of values.
/// </summary>
internal sealed class Template
{
    private readonly IReadOnlyList<Node> _nodes;

    private Template(IReadOnlyList<Node> nodes) => _nodes = nodes;

    /// <exception cref="TemplateException">The text is no template, or calls a function we don't have.</exception>
    internal static Template Parse(string text) => new(new TemplateParser(new TemplateLexer(text).Run()).ParseAll());

    internal string Apply(object? value)
    {
        var run = new Run(value);
        run.Walk(_nodes, value);
        return run.Output.ToString();
    }

    private sealed class Run
    {
        private readonly List<(string Name, object? Value)> _variables = [];

        internal Run(object? root) => _variables.Add(("$", root));

        internal StringBuilder Output { get; } = new();

        internal void Walk(IReadOnlyList<Node> nodes, object? dot)
        {
            var scope = _variables.Count;
            foreach (var node in nodes)
            {
                Visit(node, dot);
            }

            _variables.RemoveRange(scope, _variables.Count - scope);
        }

        private void Visit(Node node, object? dot)
        {
            switch (node)
            {
                case TextNode text:
                    Output.Append(text.Text);
                    break;
                case ActionNode action:
                    var value = Evaluate(action.Pipeline, dot);
                    if (action.Pipeline.Variables.Count == 0)
                    {
                        Output.Append(value is TemplateMethod method ? TemplateValues.Print(method([])) : TemplateValues.Print(value));
                    }

                    break;
                case IfNode choice:
                    VisitIf(choice, dot);
                    break;
                case WithNode with:
                    var scope = _variables.Count;
                    var subject = Evaluate(with.Pipeline, dot);
                    if (TemplateValues.Truth(subject))
                    {
                        Walk(with.Body, subject);
                    }
                    else
                    {
                        Walk(with.Else, dot);
                    }

                    _variables.RemoveRange(scope, _variables.Count - scope);
                    break;
                case RangeNode range:
                    VisitRange(range, dot);
                    break;
            }
        }

        private void VisitIf(IfNode choice, object? dot)
        {
            var scope = _variables.Count;
            foreach (var (condition, body) in choice.Branches)
            {
                if (condition is null || TemplateValues.Truth(Evaluate(condition, dot)))
                {
                    Walk(body, dot);
                    break;
                }
            }

            _variables.RemoveRange(scope, _variables.Count - scope);
        }

        private void VisitRange(RangeNode range, object? dot)
        {
            var scope = _variables.Count;
            var any = false;
            foreach (var (key, value) in TemplateValues.Entries(Evaluate(range.Pipeline with { Variables = [] }, dot)))
            {
                any = true;
                switch (range.Pipeline.Variables)
                {
                    case [var only]:
                        _variables.Add((only, value));
                        break;
                    case [var first, var second, ..]:
                        _variables.Add((first, key));
                        _variables.Add((second, value));
                        break;
                }

                Walk(range.Body, value);
                _variables.RemoveRange(scope, _variables.Count - scope);
            }

            if (!any)
            {
                Walk(range.Else, dot);
            }
        }

        private object? Evaluate(Pipeline pipeline, object? dot)
        {
            object? value = null;
            var piped = false;
            foreach (var command in pipeline.Commands)
            {
                value = Evaluate(command, dot, piped, value);
                piped = true;
            }

            foreach (var name in pipeline.Variables)
            {
                if (pipeline.Assigns)
                {
                    _variables[Find(name)] = (name, value);
                }
                else
                {
                    _variables.Add((name, value));
                }
            }

            return value;
        }

        private object? Evaluate(IReadOnlyList<Operand> command, object? dot, bool piped, object? last)
        {
            var first = command[0];
            if (first is FunctionOperand function && function.Name is "and" or "or" && !piped)
            {
                return ShortCircuit(((FunctionOperand)first).Name == "and", command, dot);
            }

            var arguments = new List<object?>(command.Count);
            for (var i = 1; i < command.Count; i++)
            {
                arguments.Add(Evaluate(command[i], dot));
            }

            if (piped)
            {
                arguments.Add(last);
            }

            if (first is FunctionOperand named)
            {
                return TemplateFunctions.Call(named.Name, arguments);
            }

            var value = Evaluate(first, dot);
            if (value is TemplateMethod method)
            {
                return method(arguments);
            }

            return arguments.Count == 0
                ? value
                : throw new TemplateException($"can't give argument to non-function {TemplateValues.Text(value)}");
        }

        private object? ShortCircuit(bool isAnd, IReadOnlyList<Operand> command, object? dot)
        {
            if (command.Count == 1)
            {
                throw new TemplateException($"wrong number of args for {(isAnd ? "and" : "or")}: want at least 1 got 0");
            }

            object? value = null;
            for (var i = 1; i < command.Count; i++)
            {
                value = Evaluate(command[i], dot);
                if (TemplateValues.Truth(value) != isAnd)
                {
                    break;
                }
            }

            return value;
        }

        private object? Evaluate(Operand operand, object? dot)
        {
            switch (operand)
            {
                case LiteralOperand literal:
                    return literal.Value;
                case VariableOperand variable:
                    return _variables[Find(variable.Name)].Value;
                case NestedOperand nested:
                    return Evaluate(nested.Pipeline, dot);
                case ChainOperand chain:
                    var value = chain.Start is { } start ? Evaluate(start, dot) : dot;
                    foreach (var field in chain.Fields)
                    {
                        value = TemplateValues.Field(value, field);
                    }

                    return value;
                case FunctionOperand function:
                    return TemplateFunctions.Call(function.Name, []);
                default:
                    throw new TemplateException("unexpected operand");
            }
        }

        private int Find(string name)
        {
            var index = _variables.FindLastIndex(v => string.Equals(v.Name, name, StringComparison.Ordinal));
            return index >= 0 ? index : throw new TemplateException($"undefined variable \"{name}\"");
        }
    }
}
