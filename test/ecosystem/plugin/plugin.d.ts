export declare const required: typeof import('lahja')
