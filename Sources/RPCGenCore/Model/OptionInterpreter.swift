internal import NetpollProtobuf

/// Moves the options that generation looks at from their written form to their fields.
///
/// All others stay as they were written.
enum OptionInterpreter {
    static func interpret(_ file: inout Google_Protobuf_FileDescriptorProto) {
        if file.hasOptions {
            var options = file.options
            let written = options.uninterpretedOption
            options.uninterpretedOption = []
            for option in written {
                if option.simpleName == "swift_prefix", option.hasStringValue {
                    options.swiftPrefix = String(decoding: option.stringValue, as: UTF8.self)
                } else {
                    options.uninterpretedOption.append(option)
                }
            }
            file.options = options
        }
        for index in file.messageType.indices { interpret(&file.messageType[index]) }
        for index in file.enumType.indices { interpret(&file.enumType[index]) }
    }

    private static func interpret(_ message: inout Google_Protobuf_DescriptorProto) {
        for index in message.field.indices where message.field[index].hasOptions {
            var options = message.field[index].options
            let written = options.uninterpretedOption
            options.uninterpretedOption = []
            for option in written {
                switch (option.simpleName, option.boolean) {
                case ("packed", .some(let value)): options.packed = value
                case ("deprecated", .some(let value)): options.deprecated = value
                default: options.uninterpretedOption.append(option)
                }
            }
            message.field[index].options = options
        }
        for index in message.nestedType.indices { interpret(&message.nestedType[index]) }
        for index in message.enumType.indices { interpret(&message.enumType[index]) }
    }

    private static func interpret(_ item: inout Google_Protobuf_EnumDescriptorProto) {
        guard item.hasOptions else { return }
        var options = item.options
        let written = options.uninterpretedOption
        options.uninterpretedOption = []
        for option in written {
            if option.simpleName == "allow_alias", let value = option.boolean {
                options.allowAlias = value
            } else {
                options.uninterpretedOption.append(option)
            }
        }
        item.options = options
    }
}
