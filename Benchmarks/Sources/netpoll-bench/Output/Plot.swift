import Foundation

/// Lines over logarithmic axes, as SVG.
struct Plot {
    struct Line {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    let title: String
    let xLabel: String
    let yLabel: String
    let lines: [Line]

    private static let colours = ["#0b6e99", "#c0392b", "#27864a", "#8e5bb5", "#b8860b", "#555555"]
    private static let width = 640.0
    private static let height = 400.0
    private static let (left, right, top, bottom) = (70.0, 20.0, 40.0, 90.0)

    /// The picture, at a distance from the top of a larger one.
    func svg(offset: Double) -> String {
        let points = lines.flatMap(\.points)
        let x = Axis(points.map(\.x), from: Self.left, to: Self.width - Self.right)
        let y = Axis(points.map(\.y), from: Self.height - Self.bottom, to: Self.top)
        var parts = ["<g transform=\"translate(0 \(offset))\">"]
        parts.append(Self.text(Self.width / 2, 20, title, anchor: "middle", size: 14))
        for tick in x.ticks {
            let at = x.position(tick)
            parts.append(Self.line(at, Self.top, at, Self.height - Self.bottom, "#dddddd"))
            let below = Self.height - Self.bottom + 16
            parts.append(Self.text(at, below, Self.short(tick), anchor: "middle"))
        }
        for tick in y.ticks {
            let at = y.position(tick)
            parts.append(Self.line(Self.left, at, Self.width - Self.right, at, "#dddddd"))
            parts.append(Self.text(Self.left - 6, at + 4, Self.short(tick), anchor: "end"))
        }
        let below = Self.height - Self.bottom + 34
        parts.append(Self.text(Self.width / 2, below, xLabel, anchor: "middle"))
        parts.append(Self.text(8, Self.top - 8, yLabel, anchor: "start"))
        for (index, line) in lines.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let path = line.points.map { point in
                "\(fixed(x.position(point.x), 1)),\(fixed(y.position(point.y), 1))"
            }
            parts.append(
                "<polyline points=\"\(path.joined(separator: " "))\" fill=\"none\" "
                    + "stroke=\"\(colour)\" stroke-width=\"2\"/>"
            )
            for point in path {
                let at = point.split(separator: ",")
                parts.append("<circle cx=\"\(at[0])\" cy=\"\(at[1])\" r=\"3\" fill=\"\(colour)\"/>")
            }
            let keyX = Self.left + Double(index % 2) * 280
            let keyY = Self.height - 36 + Double(index / 2) * 16
            parts.append(Self.line(keyX, keyY - 4, keyX + 20, keyY - 4, colour))
            parts.append(Self.text(keyX + 26, keyY, line.name, anchor: "start"))
        }
        parts.append("</g>")
        return parts.joined(separator: "\n")
    }

    /// Plots below each other.
    static func page(_ plots: [Plot]) -> String {
        let height = Self.height * Double(plots.count)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="sans-serif">
            <rect width="100%" height="100%" fill="white"/>
            \(plots.enumerated().map { $1.svg(offset: Double($0) * Self.height) }.joined(separator: "\n"))
            </svg>

            """
    }

    private static func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        _ colour: String
    )
        -> String
    {
        "<line x1=\"\(fixed(x1, 1))\" y1=\"\(fixed(y1, 1))\" x2=\"\(fixed(x2, 1))\" "
            + "y2=\"\(fixed(y2, 1))\" stroke=\"\(colour)\"/>"
    }

    private static func text(
        _ x: Double,
        _ y: Double,
        _ text: String,
        anchor: String,
        size: Int = 11
    ) -> String {
        let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\" "
            + "font-size=\"\(size)\">\(escaped)</text>"
    }

    private static func short(_ value: Double) -> String {
        switch value {
        case 1e6...: "\(fixed(value / 1e6, 0))M"
        case 1e3...: "\(fixed(value / 1e3, 0))k"
        case 1...: fixed(value, 0)
        default: "\(value)"
        }
    }
}

/// A logarithmic axis, from a power of ten to a power of ten.
private struct Axis {
    private let low: Double
    private let high: Double
    private let from: Double
    private let to: Double

    init(_ values: [Double], from: Double, to: Double) {
        let positive = values.filter { $0 > 0 }
        low = log10(positive.min() ?? 1).rounded(.down)
        high = max(low + 1, log10(positive.max() ?? 1).rounded(.up))
        self.from = from
        self.to = to
    }

    var ticks: [Double] { (Int(low)...Int(high)).map { pow(10, Double($0)) } }

    func position(_ value: Double) -> Double {
        from + (log10(max(value, pow(10, low))) - low) / (high - low) * (to - from)
    }
}
