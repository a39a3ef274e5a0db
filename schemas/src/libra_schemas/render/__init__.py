"""What is generated from the models: JSON Schemas, the AsyncAPI document, pages in Markdown."""
