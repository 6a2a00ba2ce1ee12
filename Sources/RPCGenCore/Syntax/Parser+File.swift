internal import NetpollProtobuf

extension Parser {
    mutating func parseFile() {
        let root = open([])
        do throws(Failure) { try parseSyntax() } catch { return }
        var options: [Google_Protobuf_UninterpretedOption] = []
        while token.kind != .end, !hasEnoughErrors {
            if takeEnd(";", of: nil) { continue }
            do throws(Failure) { try parseTopLevel(root, &options) } catch {
                skipStatement()
                if isAt("}") {
                    report("there is no '{' to this '}'")
                    skipClosingBrace()
                }
            }
        }
        if !options.isEmpty { file.descriptor.options.uninterpretedOption = options }
        close(root)
    }

    private mutating func parseSyntax() throws(Failure) {
        if isAt("edition") {
            throw fail("editions are not supported; use syntax = \"proto2\" or \"proto3\"")
        }
        guard isAt("syntax") else { return }
        let element = open([PathNumber.File.syntax])
        advance()
        try expect("=")
        let start = token
        let name = RawText(bytes: try string("\"proto2\" or \"proto3\"")).text
        try expectEnd(";", of: element)
        close(element)
        guard name == "proto2" || name == "proto3" else {
            throw fail(
                "unrecognized syntax identifier \"\(name)\"; use \"proto2\" or \"proto3\"",
                at: start
            )
        }
        isProto3 = name == "proto3"
        if isProto3 { file.descriptor.syntax = name }
    }

    private mutating func parseTopLevel(
        _ root: Element,
        _ options: inout [Google_Protobuf_UninterpretedOption]
    ) throws(Failure) {
        switch token.kind == .identifier ? token.text : "" {
        case "message":
            let index = Int32(clamping: file.descriptor.messageType.count)
            let message = try parseMessage(path(root, PathNumber.File.message, index), depth: 1)
            file.descriptor.messageType.append(message)
        case "enum":
            let index = Int32(clamping: file.descriptor.enumType.count)
            file.descriptor.enumType.append(
                try parseEnum(path(root, PathNumber.File.enumType, index))
            )
        case "service":
            let index = Int32(clamping: file.descriptor.service.count)
            file.descriptor.service.append(
                try parseService(path(root, PathNumber.File.service, index))
            )
        case "extend":
            var scope = FieldScope(
                parent: root,
                nestedNumber: PathNumber.File.message,
                nested: [],
                depth: 0
            )
            swap(&scope.nested, &file.descriptor.messageType)
            defer { swap(&scope.nested, &file.descriptor.messageType) }
            file.descriptor.extension += try parseExtend(
                path(root, PathNumber.File.extension),
                firstIndex: file.descriptor.extension.count,
                &scope
            )
        case "import": try parseImport(root)
        case "package": try parsePackage(root)
        case "option":
            let element = open(path(root, PathNumber.File.options))
            options.append(
                try parseOption(element, index: options.count, isStatement: true)
            )
            close(element)
        case "syntax": throw fail("syntax must be the first statement of a file")
        default:
            throw fail("expected a top-level statement (e.g. \"message\") but found \(token.shown)")
        }
    }

    private mutating func parseImport(_ root: Element) throws(Failure) {
        let index = Int32(clamping: file.descriptor.dependency.count)
        let element = open(path(root, PathNumber.File.dependency, index))
        advance()
        if isAt("public") {
            let position = Int32(clamping: file.descriptor.publicDependency.count)
            record(path(root, PathNumber.File.publicDependency, position), from: token, to: token)
            advance()
            file.descriptor.publicDependency.append(index)
        } else if isAt("weak") {
            let position = Int32(clamping: file.descriptor.weakDependency.count)
            record(path(root, PathNumber.File.weakDependency, position), from: token, to: token)
            advance()
            file.descriptor.weakDependency.append(index)
        }
        let name = RawText(bytes: try string("a string naming the file to import")).text
        file.descriptor.dependency.append(name)
        try expectEnd(";", of: element)
        close(element)
    }

    private mutating func parsePackage(_ root: Element) throws(Failure) {
        if file.descriptor.hasPackage {
            report("a file has only one package")
        }
        let element = open(path(root, PathNumber.File.package))
        advance()
        var name = try identifier("a package name")
        while take(".") { name += "." + (try identifier("a package name")) }
        file.descriptor.package = name
        try expectEnd(";", of: element)
        close(element)
    }
}
