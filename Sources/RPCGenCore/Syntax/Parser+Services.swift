internal import NetpollProtobuf

extension Parser {
    mutating func parseService(_ path: [Int32]) throws(Failure)
        -> Google_Protobuf_ServiceDescriptorProto
    {
        let start = advance()
        var service = Google_Protobuf_ServiceDescriptorProto()
        let name = token
        service.name = try identifier("a service name")
        note(
            path,
            Token(kind: name.kind, location: name.location, end: name.end, comment: start.comment)
        )
        try block("service \(service.name)") { (parser) throws(Failure) in
            if parser.take(word: "option") {
                service.options.uninterpretedOption.append(try parser.parseOption())
                try parser.expect(";")
            } else if parser.isAt(word: "rpc") {
                try parser.parseMethod(&service, path)
            } else {
                throw parser.fail("expected \"rpc\" or \"option\" but found \(parser.token.shown)")
            }
        }
        return service
    }

    private mutating func parseMethod(
        _ service: inout Google_Protobuf_ServiceDescriptorProto,
        _ path: [Int32]
    ) throws(Failure) {
        let start = advance()
        let methodPath = path + [PathNumber.Service.method, Int32(clamping: service.method.count)]
        var method = Google_Protobuf_MethodDescriptorProto()
        let name = token
        method.name = try identifier("a method name")
        note(
            methodPath,
            Token(kind: name.kind, location: name.location, end: name.end, comment: start.comment)
        )
        let input = try parseMethodType(methodPath + [PathNumber.Method.input])
        method.inputType = input.name
        if input.isStream { method.clientStreaming = true }
        guard take(word: "returns") else {
            throw fail("expected \"returns\" but found \(token.shown)")
        }
        let output = try parseMethodType(methodPath + [PathNumber.Method.output])
        method.outputType = output.name
        if output.isStream { method.serverStreaming = true }
        if isAt("{") {
            try block("method \(method.name)") { (parser) throws(Failure) in
                guard parser.take(word: "option") else {
                    throw parser.fail("expected \"option\" but found \(parser.token.shown)")
                }
                method.options.uninterpretedOption.append(try parser.parseOption())
                try parser.expect(";")
            }
        } else {
            try expect(";")
        }
        service.method.append(method)
    }

    private mutating func parseMethodType(_ path: [Int32]) throws(Failure) -> (
        name: String, isStream: Bool
    ) {
        try expect("(")
        let isStream = take(word: "stream")
        file.locations[path] = token.location
        let name = try qualifiedName("a message type", mayBeAbsolute: true)
        try expect(")")
        return (name, isStream)
    }
}
