using System.Text.Json;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.Tests;

public sealed class TemplateTests
{
    private const string Document = """
        {"Id":"abcdef0123","Name":"/web","State":{"Running":true,"Pid":42,"Error":""},
         "Config":{"Cmd":["sh","-c","ls"],"Labels":{"b":"2","a":"1"},"Env":null},
         "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"81/tcp":null}}}
        """;

    [Theory]
    [InlineData("{{.Id}}", "abcdef0123")]
    [InlineData("{{.ID}}", "abcdef0123")]
    [InlineData("{{.State.Pid}} {{.State.Running}}", "42 true")]
    [InlineData("{{.Config.Cmd}}", "[sh -c ls]")]
    [InlineData("{{.Config.Labels}}", "map[a:1 b:2]")]
    [InlineData("{{json .Config.Labels}}", """{"b":"2","a":"1"}""")]
    [InlineData("{{json .Config.Env}}", "null")]
    [InlineData("{{index .Config.Labels \"a\"}}", "1")]
    [InlineData("{{index .Config.Cmd 1}}", "-c")]
    [InlineData("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080")]
    [InlineData("{{range $p, $c := .NetworkSettings.Ports}}{{$p}}={{len $c}};{{end}}", "80/tcp=1;81/tcp=0;")]
    [InlineData("{{range .Config.Cmd}}<{{.}}>{{else}}none{{end}}", "<sh><-c><ls>")]
    [InlineData("{{range .Config.Env}}x{{else}}none{{end}}", "none")]
    [InlineData("{{if .State.Error}}bad{{else if .State.Running}}up{{else}}down{{end}}", "up")]
    [InlineData("{{if and .State.Running (gt .State.Pid 40)}}yes{{end}}", "yes")]
    [InlineData("{{if or .State.Error (not .State.Running)}}a{{else}}b{{end}}", "b")]
    [InlineData("{{with .State}}{{.Pid}} {{$.Id}}{{end}}", "42 abcdef0123")]
    [InlineData("{{$x := .State.Pid}}{{if true}}{{$x = 7}}{{end}}{{$x}}", "7")]
    [InlineData("{{.Name | upper | printf \"%s!\"}}", "/WEB!")]
    [InlineData("{{join .Config.Cmd \",\"}}", "sh,-c,ls")]
    [InlineData("{{range split \"a:b\" \":\"}}{{.}}.{{end}}", "a.b.")]
    [InlineData("{{title \"hello world\"}} {{lower \"ABC\"}}", "Hello World abc")]
    [InlineData("{{slice .Id 0 4}} {{truncate .Id 3}}", "abcd abc")]
    [InlineData("{{printf \"%-6s|%5d|%05d|%q|%t|%v\" .Name .State.Pid 7 \"x\" true .Config.Cmd}}", "/web  |   42|00007|\"x\"|true|[sh -c ls]")]
    [InlineData("{{println .Name 1}}", "/web 1\n")]
    [InlineData("a  {{- .State.Pid -}}  b", "a42b")]
    [InlineData("{{/* a comment */}}x", "x")]
    [InlineData("{{eq .State.Pid 41 42}} {{ne .Name \"x\"}} {{le 1 1}}", "true true true")]
    [InlineData("{{`raw\\n`}}", "raw\\n")]
    [InlineData("{{index .Config.Labels \"nope\"}}", "<no value>")]
    public void Prints_what_go_prints(string template, string expected)
    {
        using var document = JsonDocument.Parse(Document);
        Assert.Equal(expected, Template.Parse(template).Apply(document.RootElement));
    }

    [Theory]
    [InlineData("{{html .Id}}", "function \"html\" not defined")]
    [InlineData("{{.Id", "unclosed action")]
    [InlineData("{{if .Id}}x", "unexpected EOF")]
    [InlineData("{{.Nope}}", "map has no entry for key \"Nope\"")]
    [InlineData("{{.Id.Nope}}", "can't evaluate field Nope in type string")]
    [InlineData("{{template \"x\"}}", "{{template}} is not supported")]
    [InlineData("{{$x}}", "undefined variable \"$x\"")]
    [InlineData("{{index .Config.Cmd 9}}", "index out of range")]
    [InlineData("{{eq .Name 1}}", "incompatible types for comparison")]
    [InlineData("{{end}}", "unexpected {{end}}")]
    public void Says_what_is_wrong_with_a_template(string template, string expected)
    {
        using var document = JsonDocument.Parse(Document);
        var error = Assert.Throws<TemplateException>(() => Template.Parse(template).Apply(document.RootElement));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
