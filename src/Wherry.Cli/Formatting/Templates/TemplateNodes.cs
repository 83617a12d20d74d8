namespace Wherry.Cli.Formatting.Templates;

/// <summary>What a template is made of.</summary>
internal abstract record Node;

internal sealed record TextNode(string Text) : Node;

internal sealed record ActionNode(Pipeline Pipeline) : Node;

/// <summary><c>if</c> and <c>else if</c> branches in order; the last one without a condition is <c>else</c>.</summary>
internal sealed record IfNode(IReadOnlyList<(Pipeline? Condition, IReadOnlyList<Node> Body)> Branches) : Node;

internal sealed record WithNode(Pipeline Pipeline, IReadOnlyList<Node> Body, IReadOnlyList<Node> Else) : Node;

internal sealed record RangeNode(Pipeline Pipeline, IReadOnlyList<Node> Body, IReadOnlyList<Node> Else) : Node;

/// <summary>Commands joined by <c>|</c>, whose result may be kept in variables (<c>$i, $v := ...</c>).</summary>
internal sealed record Pipeline(IReadOnlyList<string> Variables, bool Assigns, IReadOnlyList<IReadOnlyList<Operand>> Commands);

internal abstract record Operand;

internal sealed record LiteralOperand(object? Value) : Operand;

internal sealed record FunctionOperand(string Name) : Operand;

/// <summary>A start (null is the dot), then fields: <c>.A.B</c>, <c>$x.A</c>, <c>(pipeline).A</c>.</summary>
internal sealed record ChainOperand(Operand? Start, IReadOnlyList<string> Fields) : Operand;

internal sealed record VariableOperand(string Name) : Operand;

internal sealed record NestedOperand(Pipeline Pipeline) : Operand;
